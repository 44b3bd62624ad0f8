import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { aWholeTask, openPage } from "./testing-page";
import { problem } from "./testing-service";

const TEXT =
  "16 of 16 levels were measured while other processes used the machine or the load generator was late";
const FRONTIER = { objectives: [], actual: [], predicted: null, recommended: null };
const DISTURBANCE = { levels: 16, disturbed: 16, text: TEXT, remedy: "measure again at rest" };
const COMPARED = {
  experiment: "c1",
  index: 1,
  load: { kind: "concurrency", value: 8 },
  measured: { ttft_ms: 100, tpot_ms: 10, tok_s: 90 },
  base: { ttft_ms: 90, tpot_ms: 9, tok_s: 99, source: "roofline" },
  calibrated: null,
};

function open(page: string, disturbance: typeof DISTURBANCE | null, more = {}) {
  openPage(`/tasks/1${page}`, {
    "tasks/1": aWholeTask(),
    "tasks/1/experiments": { items: [], next_cursor: null },
    "tasks/1/frontier": { ...FRONTIER, disturbance },
    "tasks/1/comparison": { levels: [COMPARED], error: null, uncorrected: "" },
    ...more,
  });
}

it("warns of figures that were disturbed, and measures again as a new task", async () => {
  const asked: string[] = [];
  const again = aWholeTask({ id: 2, name: "the second", status: "pending" });
  const answer = (name: string, task: unknown) => () => {
    asked.push(name);
    return Response.json(task);
  };
  open("", DISTURBANCE, {
    "tasks/1/clone": answer("clone 1", again),
    "tasks/2/start": answer("start 2", { ...again, status: "queued" }),
    "tasks/2": { ...again, status: "queued" },
    "tasks/2/frontier": FRONTIER,
    "tasks/2/experiments": { items: [], next_cursor: null },
  });
  expect(await screen.findByText("These measurements were disturbed")).toBeVisible();
  expect(screen.getByText(`${TEXT}.`)).toBeVisible();
  expect(screen.getByText(/calibration ignores them\. Measure again at rest\.$/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Measure again" }));
  expect(await screen.findByRole("heading", { name: "the second" })).toBeVisible();
  expect(asked).toEqual(["clone 1", "start 2"]);
});

it("starts the copy that was made when it is tried again, and makes no other", async () => {
  const asked: string[] = [];
  const again = aWholeTask({ id: 2, name: "the second", status: "pending" });
  const busy = problem(503, "Busy", "the database is locked");
  open("", DISTURBANCE, {
    "tasks/1/clone": () => {
      asked.push("clone 1");
      return Response.json(again);
    },
    "tasks/2/start": () => {
      asked.push("start 2");
      return asked.length < 3 ? busy() : Response.json({ ...again, status: "queued" });
    },
    "tasks/2": { ...again, status: "queued" },
    "tasks/2/frontier": FRONTIER,
    "tasks/2/experiments": { items: [], next_cursor: null },
  });
  const button = await screen.findByRole("button", { name: "Measure again" });
  await userEvent.click(button);
  expect(await screen.findByText("The database is locked.")).toBeVisible();
  await userEvent.click(button);
  expect(await screen.findByRole("heading", { name: "the second" })).toBeVisible();
  expect(asked).toEqual(["clone 1", "start 2", "start 2"]);
});

it("says so where calibration learns from what was disturbed", async () => {
  const config = { version: 2, benchmark: { learn_when_busy: true } };
  open("/comparison", DISTURBANCE, { "tasks/1": aWholeTask({ config } as never) });
  expect(await screen.findByText(/calibration learns from them/)).toBeVisible();
});

it("says that a warning may be missing where the results cannot be read", async () => {
  const failed = problem(403, "Refused", "a file lies outside");
  open("/comparison", null, { "tasks/1/frontier": failed });
  expect(
    await screen.findByText("Whether these measurements were disturbed is not known"),
  ).toBeVisible();
  expect(screen.getByText("A file lies outside.")).toBeVisible();
});

it("warns on the comparison too, of some figures where few were disturbed", async () => {
  open("/comparison", { ...DISTURBANCE, disturbed: 2 });
  expect(await screen.findByText("Some of these measurements were disturbed")).toBeVisible();
});

it("warns of nothing where all was measured in peace", async () => {
  open("", null);
  // Of the same answer as the warning would be.
  expect(await screen.findByText("No point to recommend")).toBeVisible();
  expect(screen.queryByText(/were disturbed/)).toBeNull();
});
