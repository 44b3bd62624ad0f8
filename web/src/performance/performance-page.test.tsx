import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { point } from "~/explorer/testing-points";
import { aWholeTask, openPage } from "~/task/testing-page";
import { problem } from "~/task/testing-service";
import { aChange, aPerformance } from "./testing-performance";

const PAGE = "/tasks/1/performance";
const POINTS = { items: [], total: 0, objectives: [], slo: {}, next_cursor: null };
const answers = (performance: unknown) => ({
  "tasks/1": aWholeTask(),
  "tasks/1/points": POINTS,
  "tasks/1/performance": performance,
  "tasks/1/frontier": frontier(null),
});
const frontier = (disturbance: unknown) => ({
  ...{ objectives: [], actual: [], predicted: null, recommended: null, disturbance },
});

it("shows where the time goes, what helps, and small parts on demand", async () => {
  openPage(PAGE, answers(aPerformance({ machine: [aLearnt()] })));
  const bar = await screen.findByRole("img", { name: /^Time per output token by what limits it/ });
  expect(bar).toHaveAccessibleName(/memory bandwidth 60\s%, overhead 40\s%/);
  expect(screen.getByText("Mostly memory bandwidth (60 %), then overhead (40 %).")).toBeVisible();
  expect(screen.getByText("threads 1 → 2")).toBeVisible();
  expect(screen.getByText("differs from the assumption")).toBeVisible();
  expect(
    screen.getByText(/From 2 launches of this task and 1 launch of earlier tasks/),
  ).toBeVisible();
  expect(screen.queryByText("something tiny")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show 1 smaller part" }));
  expect(screen.getByText("something tiny")).toBeVisible();
});

it("warns of measurements that were disturbed", async () => {
  const text = "2 of 2 levels were measured while other processes used the machine";
  const disturbance = { levels: 2, disturbed: 2, text, remedy: "measure again" };
  openPage(PAGE, { ...answers(aPerformance()), "tasks/1/frontier": frontier(disturbance) });
  expect(await screen.findByText("These measurements were disturbed")).toBeVisible();
});

it("names the point before as such until the chosen one is read", async () => {
  const load = { kind: "concurrency", value: 4 };
  const candidate = "70d79c75c38e";
  const chosen = { ...point({ candidate, load: 4 }), on_frontier: true };
  let answer = (_: Response) => {};
  const later = new Promise<Response>((resolve) => {
    answer = resolve;
  });
  const performance = (url: URL) =>
    url.searchParams.has("candidate")
      ? later
      : Response.json(aPerformance({ chosen: "the point before" }));
  openPage(PAGE, {
    ...answers(performance),
    "tasks/1/points": { ...POINTS, items: [chosen], total: 1 },
  });
  expect(await screen.findByText(/The point before\.$/)).toBeVisible();
  const picker = screen.getByRole("combobox", { name: "Operating point" });
  await waitFor(() => expect(picker).toHaveTextContent("4"));
  await userEvent.selectOptions(picker, JSON.stringify({ candidate, concurrency: 4 }));
  expect(await screen.findByText(/^Loading the chosen point/)).toBeVisible();
  answer(Response.json(aPerformance({ candidate, load: load as never, chosen: "the one chosen" })));
  expect(await screen.findByText(/The one chosen\.$/)).toBeVisible();
  expect(screen.queryByText(/^Loading the chosen point/)).toBeNull();
});

it("says so where nothing helps, and what was tried", async () => {
  const failed = aChange({ measured_tok_s: 80 });
  openPage(
    PAGE,
    answers(aPerformance({ helps: [], did_not_help: [failed], no_setting: ["links"] })),
  );
  expect(await screen.findByText(/^No other setting that this engine offers/)).toBeVisible();
  expect(
    screen.getByText(/was expected to help but did not: 80 tok\/s measured, 100 before\.$/),
  ).toBeVisible();
  expect(screen.getByText("No change that was tried shortens links by much.")).toBeVisible();
});

it("says why there is nothing to explain, which is no fault", async () => {
  openPage(PAGE, answers(problem(409, "Conflict", "there is no operating point to explain")));
  expect(await screen.findByText("There is nothing to explain yet")).toBeVisible();
  expect(screen.getByText("There is no operating point to explain.")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});

it("shows what the operator does not allow", async () => {
  openPage(PAGE, answers(problem(403, "The operator does not allow this", "a file lies outside")));
  expect(await screen.findByRole("alert")).toHaveTextContent("A file lies outside.");
});

function aLearnt() {
  const text = "reading the KV cache (fp8): 45 % (34 to 58) of 7700 GB/s, 80 % assumed";
  return { part: "kv_read:fp8", text, surprising: true, doubtful: false };
}

it("says which setting lets the service read a table of the command line, and is no error", async () => {
  const refused = {
    type: "/problems/policy-refused",
    status: 403,
    detail: "replay.landscape: …",
    errors: [
      {
        path: "replay.landscape",
        message:
          "'/data/h100.csv' lies outside the folders that the operator allows (/home/landscapes); " +
          "policy.landscape_roots of the service's settings adds one",
      },
    ],
  };
  openPage(
    PAGE,
    answers(() => new Response(JSON.stringify(refused), { status: 403 })),
  );
  expect(
    await screen.findByRole("heading", { name: /does not let the service explain this task/ }),
  ).toBeVisible();
  expect(
    screen.getByText(/policy\.landscape_roots of the service's settings adds one/),
  ).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});
