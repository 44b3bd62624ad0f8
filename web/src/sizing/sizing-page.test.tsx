import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { aWholeTask, openPage } from "~/task/testing-page";
import { problem } from "~/task/testing-service";
import { aDeployment, aSizing } from "./testing-sizing";

const PAGE = "/tasks/1/sizing";
const frontier = {
  ...{ objectives: [], actual: [], predicted: null, recommended: null },
  ...{ baseline: null, disturbance: null },
};

/** What was asked last, and answers of a service. */
function answers(sizing: unknown) {
  const asked: URLSearchParams[] = [];
  const answer = (url: URL) => {
    asked.push(url.searchParams);
    return typeof sizing === "function" ? sizing(url) : Response.json(sizing);
  };
  const config = { version: 2, name: "n", model: { id: "m" }, slo: { ttft_ms: 1000 } };
  const given = {
    "tasks/1": aWholeTask({ config: config as never }),
    "tasks/1/frontier": frontier,
    "tasks/1/sizing": answer,
    "catalog/gpus": { items: [] },
  };
  return { asked, given };
}

it("asks for traffic first, then says replicas, GPUs, costs and how sure", async () => {
  const { asked, given } = answers(aSizing());
  openPage(PAGE, given);
  expect(await screen.findByText("How many replicas?")).toBeVisible();
  expect(asked).toHaveLength(0);
  expect(screen.getByLabelText("TTFT at most")).toHaveValue("1000");

  await userEvent.type(screen.getByLabelText("Requests per second"), "40");
  const card = await screen.findByRole("region", { name: /^Smallest deployment for 40\srequests/ });
  expect(within(card).getByText("6 × h100_sxm")).toBeVisible();
  expect(within(card).getByText("2 to 5 by the intervals")).toBeVisible();
  expect(within(card).getByText("$18.00")).toBeVisible();
  expect(within(card).getByText("predicted")).toBeVisible();
  await waitFor(() => expect(location.search).toBe("?rate=40"));
  await waitFor(() => expect(asked.at(-1)?.toString()).toBe("rate=40"));
});

it("opens as the link says, in users and with limits of its own", async () => {
  const { asked, given } = answers(aSizing());
  openPage(`${PAGE}?users=200&think=8&headroom=30&slo=tpot_ms%3D30`, given);
  await screen.findByRole("region", { name: /^Smallest/ });
  expect(screen.getByLabelText("Users at once")).toHaveValue("200");
  expect(screen.getByLabelText("Think time")).toHaveValue("8");
  expect(screen.getByLabelText("TPOT at most")).toHaveValue("30");
  expect(screen.getByLabelText("TTFT at most")).toHaveValue("1000");
  expect(Object.fromEntries(asked.at(-1) ?? [])).toEqual({
    ...{ users: "200", think_s: "8", headroom: "0.3", tpot_ms: "30" },
  });
});

it("drops a limit of the task that is cleared, and takes it again where one is typed", async () => {
  const { asked, given } = answers(aSizing());
  openPage(`${PAGE}?rate=40`, given);
  const limit = await screen.findByLabelText("TTFT at most");
  await userEvent.clear(limit);
  await userEvent.tab();
  expect(limit).toHaveValue("");
  await waitFor(() => expect(asked.at(-1)?.toString()).toBe("rate=40&unlimited=ttft_ms"));
  await userEvent.type(limit, "500");
  await waitFor(() => expect(asked.at(-1)?.toString()).toBe("rate=40&ttft_ms=500"));
});

it("follows growth, names the baseline, other GPUs and what is left out", async () => {
  const month = {
    ...{ month: 0, traffic: aSizing().traffic, gpu: "h100_sxm", candidate: "70d79c75c38e" },
    ...{ is_baseline: false, replicas: 3, gpus: 6, usd_per_hour: 18 },
  };
  const found = aSizing({
    deployments: [aDeployment(), aDeployment({ candidate: "b", is_baseline: true })],
    refused: { t4: "the weights do not fit" },
    growth: [month, { ...month, month: 1, replicas: 4, gpus: 8 }],
    notes: ["the highest known load counts"],
  });
  openPage(`${PAGE}?rate=40&growth=5`, answers(found).given);
  const months = await screen.findByRole("region", { name: "As it grows" });
  expect(within(months).getAllByRole("row")).toHaveLength(3);
  const table = screen.getByRole("region", { name: "Table of candidates" });
  expect(within(table).getByRole("rowheader", { name: /^Baseline, vllm/ })).toBeVisible();
  expect(screen.getByText(/The weights do not fit\./)).toBeVisible();
  expect(screen.getByText("The highest known load counts.")).toBeVisible();
});

it("says which limit keeps everything out, and that replicas do not help", async () => {
  const nearest = {
    ...{ gpu: "h100_sxm", engine: "vllm", candidate: "70d79c75c38e", is_baseline: false },
    ...{ settings: {}, load: { kind: "concurrency" as const, value: 1 } },
    ...{ limit: "tpot_ms", limit_ms: 2, value_ms: 3, over: 0.5 },
  };
  const nothing = aSizing({ deployments: [], holding: 0, cheapest: null, nearest });
  openPage(`${PAGE}?rate=40`, answers(nothing).given);
  expect(await screen.findByText("Nothing holds it, however many replicas")).toBeVisible();
  expect(screen.getByText(/has TPOT 3\sms; the limit is 2\sms, 50\s% over it/)).toBeVisible();
  expect(screen.getByRole("link", { name: "What relaxing a limit gains" })).toBeVisible();
});

it("says why nothing is predicted on the task's own device", async () => {
  const nothing = aSizing({
    ...{ deployments: [], candidates: 0, holding: 0, cheapest: null, gpus: [] },
    refused: { h100_sxm: "nothing is known of org/odd" },
  });
  openPage(`${PAGE}?rate=40`, answers(nothing).given);
  expect(await screen.findByText(/Nothing is known of org\/odd\./)).toBeVisible();
});

it("shows what is refused at its field, and other problems as what they are", async () => {
  const refused = {
    ...{ title: "A parameter is not valid", status: 422, detail: "query.rate: of no service" },
    errors: [{ path: "query.rate", message: "of no service" }],
  };
  const { given } = answers(() => new Response(JSON.stringify(refused), { status: 422 }));
  openPage(`${PAGE}?rate=40`, given);
  expect(await screen.findByText("of no service")).toBeVisible();
  expect(screen.getByLabelText("Requests per second")).toBeInvalid();
  expect(screen.queryByRole("alert")).toBeNull();
});

it("offers another try where the service fails", async () => {
  openPage(`${PAGE}?rate=40`, answers(problem(422, "The task cannot be run", "no model")).given);
  expect(await screen.findByRole("alert")).toHaveTextContent("No model.");
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});
