import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { openPage } from "~/task/testing-page";
import { aPredictedPoint, aRecommendation } from "./testing-recommendation";

const LINK = "/start?model=org%2Fmodel&gpu=h100_sxm&gpus=8&isl=1000&osl=200&ttft=800";

function answers(recommendation: unknown) {
  const asked: URLSearchParams[] = [];
  const gpu = { name: "h100_sxm", memory_gib: 80, is_cpu: false };
  const cpu = { kind: "cpu", name: "cpu", host: "here", worker: null, count: 2, memory_gib: 8 };
  const engines = [{ name: "vllm", title: "vLLM", found: false, problem: null, version: null }];
  const given = {
    "catalog/models": { items: [{ id: "org/model", names: ["org/model"], is_here: false }] },
    "catalog/gpus": { items: [gpu] },
    "system/devices": { items: [cpu] },
    engines: { items: engines },
    tasks: { items: [], next_cursor: null, total: 0 },
    recommendation: (url: URL) => {
      asked.push(url.searchParams);
      return typeof recommendation === "function"
        ? recommendation(url)
        : Response.json(recommendation);
    },
  };
  return { asked, given };
}

const theCard = () => screen.findByRole("region", { name: "Recommend without launching" });

it("asks with its button, and says what to run, how sure, and what measuring would settle", async () => {
  const { asked, given } = answers(aRecommendation());
  openPage("/start", given);
  const card = await theCard();
  const model = await within(card).findByLabelText("Model");
  expect(asked).toHaveLength(0);
  await userEvent.type(model, "org/model");
  await userEvent.type(within(card).getByLabelText("TTFT at most"), "800");
  await userEvent.click(within(card).getByRole("button", { name: "Recommend" }));
  expect(await within(card).findByRole("heading", { name: "Recommended" })).toBeVisible();
  expect(asked).toHaveLength(1);
  expect(asked[0]?.get("model")).toBe("org/model");
  expect(asked[0]?.get("ttft_ms")).toBe("800");
  expect(asked[0]?.has("gpus")).toBe(false);
  const command = within(card).getByRole("region", { name: "Command that serves it" });
  expect(command).toHaveTextContent("vllm serve m --port 8000");
  expect(within(card).getByText(/80\s%: 2,500 to 6,000/)).toBeVisible();
  expect(within(card).getByText(/It takes 2 of 8 GPUs: 4 of these fit/)).toBeVisible();
  const others = within(card).getByRole("region", { name: "Table of other kinds" });
  expect(within(others).getByText("engine, parallel layout")).toBeVisible();
  expect(within(card).getByText(/up to 12 launches, about 40\smin, \$16\.00/)).toBeVisible();
  expect(within(card).getByText(/llamacpp cannot serve it here: it serves GGUF/)).toBeVisible();
});

it("opens as the link says, and leads to a new task that is filled in", async () => {
  const { asked, given } = answers(aRecommendation());
  openPage(LINK, given);
  const card = await theCard();
  const tune = await within(card).findByRole("link", { name: "Tune this" });
  expect(within(card).getByLabelText("GPUs")).toHaveValue("8");
  expect(asked[0]?.get("gpus")).toBe("8");
  const search = new URL(tune.getAttribute("href") ?? "", location.origin).searchParams;
  expect(Object.fromEntries(search)).toEqual({
    ...{ model: "org/model", gpu: "h100_sxm", gpus: "8", engine: "vllm" },
    ...{ isl: "1000", osl: "200", ttft: "800" },
  });
});

it("has the safe choice too, and repeats no command", async () => {
  const certain = aPredictedPoint({ load: { kind: "concurrency", value: 32 }, verdict: "meets" });
  openPage(LINK, answers(aRecommendation({ certain })).given);
  const card = await theCard();
  expect(await within(card).findByRole("heading", { name: "The safe choice" })).toBeVisible();
  expect(within(card).getByText(/^The command is the same/)).toBeVisible();
  expect(within(card).getAllByRole("region", { name: "Command that serves it" })).toHaveLength(1);
});

it("says why nothing fits, and shows the nearest point", async () => {
  const nothing = aRecommendation({
    meets_slo: false,
    why_not: ["TTFT is over 800 ms everywhere"],
  });
  openPage(LINK, answers(nothing).given);
  const card = await theCard();
  expect(await within(card).findByText("Nothing is predicted within your limits")).toBeVisible();
  expect(within(card).getByText(/^TTFT is over 800\sms everywhere\.$/)).toBeVisible();
  expect(within(card).getByRole("heading", { name: "Nearest to your limits" })).toBeVisible();
});

it("says where nothing is predicted, and which engine cannot serve it", async () => {
  const engines = aRecommendation().engines.map((one) => ({ ...one, predicted: 0, why: "odd" }));
  const nothing = { recommended: null, measuring: null, alternatives: [], engines };
  openPage(LINK, answers(aRecommendation({ meets_slo: false, ...nothing })).given);
  const card = await theCard();
  expect(await within(card).findByText("Nothing is predicted")).toBeVisible();
  expect(within(card).getByText(/llamacpp cannot serve it here/)).toBeVisible();
  expect(within(card).getAllByText(/: 0 of .* predicted: odd$/)).toHaveLength(engines.length);
});

it("shows what is refused at its field", async () => {
  const refused = {
    ...{ title: "A parameter is not valid", status: 422, detail: "query.model: unknown" },
    errors: [{ path: "query.model", message: "'org/model' is unknown" }],
  };
  const { given } = answers(() => new Response(JSON.stringify(refused), { status: 422 }));
  openPage(LINK, given);
  const card = await theCard();
  expect(await within(card).findByText("'org/model' is unknown")).toBeVisible();
  await waitFor(() => expect(within(card).getByLabelText("Model")).toBeInvalid());
  expect(within(card).queryByRole("alert")).toBeNull();
});
