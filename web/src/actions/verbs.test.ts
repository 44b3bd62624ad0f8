import { describe, expect, it } from "vitest";
import { aTask } from "~/api/testing";
import { isPossible, losesMeasurements, mainVerb, possibleVerbs } from "./verbs";

const running = aTask({ status: "running", allowed_actions: ["cancel", "pause"] });

describe("what a task can be asked for", () => {
  it("follows what the service allows", () => {
    expect(possibleVerbs(running)).toEqual(["pause", "cancel", "rename", "clone"]);
    expect(possibleVerbs(aTask())).toEqual([
      "start",
      "cancel",
      "edit",
      "rename",
      "clone",
      "delete",
    ]);
  });

  it("is not asked again for what its worker is about to do", () => {
    const pausing = { ...running, requested_action: "pause" as const };
    expect(isPossible("pause", pausing)).toBe(false);
    expect(isPossible("cancel", pausing)).toBe(true);
  });

  it.each([
    [aTask(), "start"],
    [running, "pause"],
    [aTask({ status: "paused", allowed_actions: ["cancel", "resume"] }), "resume"],
    [aTask({ status: "completed", allowed_actions: ["restart"] }), null],
    [aTask({ status: "cancelled", allowed_actions: ["resume", "restart"] }), null],
  ])("has one verb in front, case %#", (task, verb) => {
    expect(mainVerb(task)).toBe(verb);
  });

  it("asks before measurements are lost, not before there are any", () => {
    const measured = aTask({ experiments: { ...aTask().experiments, total: 3 } });
    expect(losesMeasurements("restart", [aTask(), measured])).toBe(true);
    expect(losesMeasurements("restart", [aTask()])).toBe(false);
    expect(losesMeasurements("cancel", [measured])).toBe(false);
  });
});
