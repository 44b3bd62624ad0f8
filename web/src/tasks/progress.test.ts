import { describe, expect, it } from "vitest";
import { aTask } from "~/api/testing";
import { progressOf } from "./progress";

const counts = (completed: number, failed = 0, running = 0) => ({
  total: completed + failed + running,
  running,
  completed,
  failed,
  best_throughput_tok_s: null,
});

describe("the progress of a task", () => {
  it("has no bar before the start", () => {
    expect(progressOf(aTask())).toEqual({ bar: null, text: "", time: "" });
  });

  it("counts launches and says the time left while it runs", () => {
    const task = aTask({
      status: "running",
      launches: 8,
      left_s: 750,
      experiments: counts(1, 1, 1),
    });
    expect(progressOf(task)).toEqual({
      bar: { completed: 1 / 8, failed: 1 / 8 },
      text: "2 of 8, 1 failed",
      time: "about 12\u00a0min 30\u00a0s left",
    });
  });

  it("counts launches that confirm the result", () => {
    const experiments = counts(5);
    const task = aTask({ status: "running", launches: 8, further_launches: 2, experiments });
    expect(progressOf(task)).toMatchObject({
      bar: { completed: 7 / 8, failed: 0 },
      text: "7 of 8 launches",
    });
  });

  it("says that it takes longer than expected, not that 0 s are left", () => {
    const task = aTask({ status: "running", launches: 5, left_s: 0, experiments: counts(0, 0, 1) });
    expect(progressOf(task).time).toBe("taking longer than expected");
  });

  it("fills the bar of a task that ended before its budget did", () => {
    const task = aTask({ status: "completed", launches: 8, wall_s: 60, experiments: counts(5) });
    expect(progressOf(task)).toEqual({
      bar: { completed: 1, failed: 0 },
      text: "5 launches",
      time: "1\u00a0min",
    });
  });

  it("says how many of all launches failed", () => {
    const task = aTask({ status: "failed", launches: 5, experiments: counts(0, 5) });
    expect(progressOf(task).text).toBe("5 of 5 failed");
  });

  it("has no bar where nothing was launched", () => {
    expect(progressOf(aTask({ status: "cancelled" }))).toEqual({
      bar: null,
      text: "Nothing launched",
      time: "",
    });
  });

  it("stays half full for one that was cancelled half-way", () => {
    const task = aTask({ status: "cancelled", launches: 4, experiments: counts(2) });
    expect(progressOf(task).bar).toEqual({ completed: 0.5, failed: 0 });
    expect(progressOf(task).text).toBe("2 of 4 launches");
  });

  it("plans before the first launch is known", () => {
    expect(progressOf(aTask({ status: "running" })).text).toBe("Planning");
  });

  it("never shows more done than there is", () => {
    const task = aTask({ status: "running", launches: 2, experiments: counts(3, 0, 1) });
    expect(progressOf(task).bar?.completed).toBe(0.75);
  });
});
