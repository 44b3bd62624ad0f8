import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { aWholeTask, openPage } from "~/task/testing-page";
import { problem } from "~/task/testing-service";
import { aChange, aPerformance } from "./testing-performance";

const PAGE = "/tasks/1/performance";
const POINTS = { items: [], total: 0, objectives: [], slo: {}, next_cursor: null };
const answers = (performance: unknown) => ({
  "tasks/1": aWholeTask(),
  "tasks/1/points": POINTS,
  "tasks/1/performance": performance,
});

it("shows where the time goes, what helps, and small parts on demand", async () => {
  openPage(PAGE, answers(aPerformance({ machine: [aLearnt()] })));
  const bar = await screen.findByRole("img", { name: /^Time per output token by what limits it/ });
  expect(bar).toHaveAccessibleName(/memory bandwidth 60\s%, overhead 40\s%/);
  expect(screen.getByText("Mostly memory bandwidth (60 %), then overhead (40 %).")).toBeVisible();
  expect(screen.getByText("threads 1 → 2")).toBeVisible();
  expect(screen.getByText("other than assumed")).toBeVisible();
  expect(
    screen.getByText(/From 2 launches of this task and 1 launch of earlier tasks/),
  ).toBeVisible();
  expect(screen.queryByText("something tiny")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show 1 smaller part" }));
  expect(screen.getByText("something tiny")).toBeVisible();
});

it("says so where nothing helps, and what was tried", async () => {
  const failed = aChange({ measured_tok_s: 80 });
  openPage(
    PAGE,
    answers(aPerformance({ helps: [], did_not_help: [failed], no_setting: ["links"] })),
  );
  expect(await screen.findByText(/^No other value of a setting/)).toBeVisible();
  expect(screen.getByText(/expected to help, and did not. Measured were 80 tok\/s/)).toBeVisible();
  expect(screen.getByText("Nothing that was tried shortens links much.")).toBeVisible();
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
