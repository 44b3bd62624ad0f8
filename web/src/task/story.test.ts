import { describe, expect, it } from "vitest";
import type { LaunchStep } from "~/api/results";
import { anExperiment } from "~/experiments/testing-experiments";
import {
  addedText,
  besides,
  HYPERVOLUME,
  keptText,
  measureText,
  staircase,
  stepsOf,
  sumsOf,
} from "./story";

function launch(given: Partial<LaunchStep>): LaunchStep {
  return {
    experiment: "x",
    index: 1,
    phase: "",
    reason: "",
    failed: false,
    value: 1,
    added: 0,
    frontier_points: 0,
    in_vain: true,
    ...given,
  };
}

describe("the steps of a search", () => {
  it("are in the order of launch, those that are not finished included", () => {
    const experiments = [anExperiment({ index: 1 }), anExperiment({ index: 2, status: "running" })];
    const steps = stepsOf(experiments, [launch({ index: 1, added: 0.5 })]);
    expect(steps.map(({ index, launch: found }) => [index, found?.added])).toEqual([
      [1, 0.5],
      [2, undefined],
    ]);
  });

  it("say what they added", () => {
    expect(addedText(HYPERVOLUME, launch({ added: 0.031 }))).toBe("+3.1\u00a0%");
    expect(addedText(HYPERVOLUME, launch({ added: 0 }))).toBe("nothing");
    expect(addedText(HYPERVOLUME, launch({ added: 0.0004 }))).toBe("under 0.1\u00a0%");
    expect(addedText("ttft_ms", launch({ added: 12 }))).toBe("−12\u00a0ms");
    expect(addedText("tok_s", launch({ added: null }))).toBe("first within the SLO");
    expect(addedText("tok_s", launch({ added: null, failed: true }))).toBe("failed");
    expect(measureText("tok_s", null)).toBe("–");
  });

  it("are summed up, with launches in vain apart from failures", () => {
    const launches = [
      launch({ index: 1, added: 0.9, in_vain: false }),
      launch({ index: 2, failed: true }),
      launch({ index: 3, added: 0.1 }),
      launch({ index: 4 }),
      launch({ index: 5 }),
    ];
    expect(sumsOf({ measure: HYPERVOLUME, launches })).toEqual({
      finished: 5,
      failed: 1,
      inVain: 3,
      withoutGain: 2,
    });
  });
});

describe("what is left of a launch", () => {
  it("tells what was overtaken from what never added a point", () => {
    const text = (given: Partial<LaunchStep>) => keptText(launch(given));
    expect(text({ in_vain: true, added: 0.6 })).toMatch(/^overtaken/);
    expect(text({ in_vain: true, added: 0 })).toBe("no point on the frontier");
    expect(text({ in_vain: false, frontier_points: 2 })).toBe("2 points on the frontier");
  });
});

describe("predicted beside measured", () => {
  it("has the error of what is known", () => {
    const rows = besides(
      anExperiment({
        predicted_throughput_tok_s: 110,
        actual_throughput_tok_s: 100,
        actual_ttft_ms: 20,
      }),
    );
    expect(rows.map(({ name, predicted, measured }) => [name, predicted, measured])).toEqual([
      ["tok_s", "110", "100"],
      ["ttft_ms", "–", "20\u00a0ms"],
    ]);
    expect(rows[0]?.error).toBeCloseTo(0.1);
    expect(rows[1]?.error).toBeNull();
  });

  it("has no rows where nothing is known", () => {
    expect(besides(anExperiment())).toEqual([]);
  });
});

describe("the line of progress", () => {
  it("climbs from nothing to all of the hypervolume", () => {
    const corners = staircase(HYPERVOLUME, [launch({ value: 0.5 }), launch({ value: 1 })]);
    expect(corners[0]).toEqual({ x: 0, y: 0 });
    expect(corners.at(-1)).toEqual({ x: 1, y: 1 });
  });

  it("begins where something is within the SLO", () => {
    const launches = [launch({ value: null }), launch({ value: 10 }), launch({ value: 10 })];
    const corners = staircase("tok_s", launches);
    expect(corners[0]?.x).toBeCloseTo(1 / 3);
    expect(corners.every(({ y }) => y === 1)).toBe(true);
  });

  it("is not drawn where nothing is known", () => {
    expect(staircase("tok_s", [launch({ value: null })])).toEqual([]);
  });
});
