import { describe, expect, it } from "vitest";
import type { Distribution, MeasuredLevel, PredictedLevel } from "~/api/experiments";
import { commonRemarks, levelsOf, remarksOn, scalesOf, stripOf } from "./levels";

function aLevel(value: number, given: Partial<MeasuredLevel> = {}): MeasuredLevel {
  return {
    load: { kind: "concurrency", value },
    repeat: 0,
    requests_completed: 32,
    requests_failed: 0,
    requests_short: 0,
    saturated: false,
    client_bottleneck: false,
    ended_by: "requests",
    machine: null,
    note: "",
    ...given,
  } as MeasuredLevel;
}

const spread = { min: 10, p50: 20, p90: 40, max: 80 } as Distribution;

describe("levels", () => {
  it("are in the order of their load, with predictions and repeats beside", () => {
    const predicted = { load: { kind: "concurrency", value: 16 } } as PredictedLevel;
    const levels = levelsOf([aLevel(8), aLevel(1), aLevel(8, { repeat: 1 })], [predicted]);
    expect(levels.map(({ load, measured }) => [load.value, measured.length])).toEqual([
      [1, 1],
      [8, 2],
      [16, 0],
    ]);
    expect(levels[2]?.predicted).toBe(predicted);
  });

  it("keep kinds of load apart", () => {
    const rate = aLevel(8, { load: { kind: "rate", value: 8 } });
    expect(levelsOf([aLevel(8), rate], [])).toHaveLength(2);
  });

  it("say what makes their figures doubtful", () => {
    expect(remarksOn(aLevel(8))).toEqual([]);
    expect(
      remarksOn(
        aLevel(8, {
          requests_failed: 2,
          client_bottleneck: true,
          machine: { others: 0.62, idle: 0, stolen: 0, held_back: 0, busy: true },
          note: "a note",
        }),
      ),
    ).toEqual([
      "2 of 34 requests failed",
      "the load generator was late, and may have set the figures",
      "the machine was busy: others used 62\u00a0% of its CPUs",
      "a note",
    ]);
  });
});

it("says once what has to be said of every level", () => {
  const replayed = aLevel(1, { note: "replayed" });
  const late = aLevel(8, { note: "replayed", ended_by: "time" });
  expect(commonRemarks([replayed, late])).toEqual(["replayed"]);
  expect(commonRemarks([replayed])).toEqual([]);
  expect(commonRemarks([])).toEqual([]);
});

it("draws all levels of a latency on one scale", () => {
  const levels = levelsOf(
    [aLevel(1, { ttft_ms: spread }), aLevel(8, { ttft_ms: { ...spread, max: 160 } })],
    [],
  );
  const scales = scalesOf(levels);
  expect(scales.ttft_ms).toBe(160);
  expect(scales.tpot_ms).toBe(0);
  expect(stripOf(spread, scales.ttft_ms)).toEqual({ min: 6.25, p50: 12.5, p90: 25, max: 50 });
  expect(stripOf(spread, 0).max).toBe(0);
});
