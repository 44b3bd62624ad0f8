import { describe, expect, it } from "vitest";
import type { TaskEvent } from "~/api/event-stream";
import { advance, NO_PHASE, type Phase, phaseLines, shareDone } from "./phase";

const LEVEL = { kind: "concurrency", value: 8 };

function phaseOf(...events: [kind: string, payload?: Record<string, unknown>][]): Phase {
  return events
    .map(([kind, payload = {}], place): TaskEvent => {
      return { id: place + 1, task_id: 1, at: "2026-11-26T10:00:00Z", kind, payload };
    })
    .reduce(advance, NO_PHASE);
}

describe("the phase of a task", () => {
  it("is preparation until there is something to say", () => {
    expect(phaseLines(NO_PHASE, null)).toEqual(["Preparing: reading the model, making candidates"]);
  });

  it("counts the candidates that are predicted", () => {
    const phase = phaseOf(["predicting", { asked: 120, wanted: 400 }]);
    expect(phaseLines(phase, null)).toEqual(["Predicting: 120 of 400 candidates"]);
  });

  it("follows a launch from loading to its levels", () => {
    const started: [string, Record<string, unknown>?][] = [
      ["predicting", { asked: 4, wanted: 4 }],
      ["task_started", { launches: 7, kept: 2 }],
      ["experiment_started", { index: 3 }],
    ];
    expect(phaseLines(phaseOf(...started), 7)).toEqual(["Launch 3 of 7: loading the engine"]);
    const ready = phaseOf(...started, ["engine_ready", { index: 3, startup_s: 4 }]);
    expect(phaseLines(ready, 7)).toEqual(["Launch 3 of 7: the engine is ready"]);
    const progress = { index: 3, load: LEVEL, completed: 5, wanted: 12, left_s: 20 };
    const measuring = phaseOf(...started, ["level_progress", progress]);
    expect(phaseLines(measuring, 7)).toEqual([
      "Launch 3 of 7: level 8\u00a0in\u00a0flight, 5 of 12 requests, about 20\u00a0s left",
    ]);
    const measured = phaseOf(
      ...started,
      ["level_progress", progress],
      ["level_measured", { index: 3 }],
    );
    expect(phaseLines(measured, 7)).toEqual(["Launch 3 of 7: 1 level measured"]);
    const ended = phaseOf(...started, ["experiment_ended", { index: 3 }]);
    expect(phaseLines(ended, 7)).toEqual(["Choosing the next launch"]);
  });

  it("says what is fetched before a launch, beside the launches under way", () => {
    const what = "fetching an/image:1";
    const begun = phaseOf(["task_started"], ["preparing", { what, done_gib: 0, total_gib: 0 }]);
    expect(phaseLines(begun, 7)).toEqual(["Fetching an/image:1"]);
    const half: [string, Record<string, unknown>] = [
      "preparing",
      { what, done_gib: 4.25, total_gib: 9.8 },
    ];
    const fetched = "Fetching an/image:1: 4.25\u00a0GiB of 9.8\u00a0GiB";
    expect(phaseLines(phaseOf(["task_started"], half), 7)).toEqual([fetched]);
    const beside = phaseOf(["task_started"], ["experiment_started", { index: 1 }], half);
    expect(phaseLines(beside, 7)).toEqual([fetched, "Launch 1 of 7: loading the engine"]);
    const launched = phaseOf(["task_started"], half, ["experiment_started", { index: 1 }]);
    expect(phaseLines(launched, 7)).toEqual(["Launch 1 of 7: loading the engine"]);
  });

  it("follows a launch that confirms an earlier one", () => {
    const begun = phaseOf(["task_started"], ["relaunch_started", { index: 3, launch: 2 }]);
    expect(phaseLines(begun, 7)).toEqual(["Launch 3 again, to confirm it: loading the engine"]);
    const counted = { index: 3, launch: 2, further: 2, most: 3 };
    expect(phaseLines(phaseOf(["task_started"], ["relaunch_started", counted]), 7)).toEqual([
      "Confirming, launch 2 of at most 3 (launch 3 again): loading the engine",
    ]);
    const over = phaseOf(
      ["task_started"],
      ["relaunch_started", { index: 3, launch: 2 }],
      ["relaunch_ended", { index: 3, launch: 2 }],
    );
    expect(over.launches).toEqual([]);
  });

  it("shows launches side by side in their order", () => {
    const phase = phaseOf(
      ["task_started"],
      ["experiment_started", { index: 2 }],
      ["experiment_started", { index: 1 }],
    );
    expect(phaseLines(phase, 4)).toEqual([
      "Launch 1 of 4: loading the engine",
      "Launch 2 of 4: loading the engine",
    ]);
  });

  it("takes a launch up of which it did not see the beginning", () => {
    const phase = phaseOf(["engine_ready", { index: 5 }]);
    expect(phase.launches.map((launch) => launch.index)).toEqual([5]);
  });

  it("takes every event once, whichever way it comes", () => {
    const event = { id: 4, task_id: 1, at: "", kind: "level_measured", payload: { index: 1 } };
    const once = advance(NO_PHASE, event);
    expect(advance(once, event)).toBe(once);
  });

  it("keeps what was remarked once, until another worker begins", () => {
    const busy: [string, Record<string, unknown>] = ["machine_busy", { reason: "busy" }];
    expect(phaseOf(busy, busy).remarks).toEqual(["busy"]);
    expect(phaseOf(busy, ["claimed"]).remarks).toEqual([]);
  });
});

describe("the share that is done", () => {
  it("counts the levels of a launch under way", () => {
    const phase = phaseOf(
      ["experiment_started", { index: 2 }],
      ["level_measured", { index: 2 }],
      ["level_progress", { index: 2, load: LEVEL, completed: 6, wanted: 12 }],
    );
    expect(shareDone(1, phase, 4, 3)).toBeCloseTo((1 + 1.5 / 3) / 4);
  });

  it("is not known before there is a plan, and never more than all", () => {
    expect(shareDone(0, NO_PHASE, null, 3)).toBeNull();
    expect(shareDone(9, NO_PHASE, 4, 3)).toBe(1);
  });
});
