import { describe, expect, it } from "vitest";
import type { AccuracyRow, MetricErrors } from "~/api/verify";
import { errorsOfView, learningSteps, pairsOfResults, rowsOf } from "./errors-of";
import { aPair } from "./testing-verify";

const view = (given: Partial<MetricErrors> & { in_interval?: number | null } = {}) => ({
  pairs: 4,
  missing: 0,
  mape: 30,
  median_ape: 20,
  bias: 1.2,
  spearman: 1,
  within: { "10": 25, "15": 50, "20": 75 },
  in_interval: 80,
  ...given,
});

const row = (value: string, given: AccuracyRow["stages"]): AccuracyRow => ({
  value,
  levels: 4,
  tasks: 1,
  stages: given,
});

describe("errors of the service", () => {
  it("become shares; the bias stays the factor that it is", () => {
    expect(errorsOfView(view())).toEqual({
      pairs: 4,
      median: 0.2,
      mean: 0.3,
      geometricMeanRatio: 1.2,
      within: [0.25, 0.5, 0.75],
      inInterval: 0.8,
    });
  });

  it("are none without pairs, and have no interval where none is stated", () => {
    expect(errorsOfView(view({ pairs: 0, median_ape: null }))).toBeNull();
    expect(errorsOfView(undefined)).toBeNull();
    expect(errorsOfView(view({ in_interval: undefined }))?.inInterval).toBeNull();
  });

  it("leave out rows that a stage has not", () => {
    const rows = [row("vllm", { base: { ttft_ms: view() } }), row("sglang", {})];
    expect(rowsOf(rows, "base", "ttft_ms").map(({ value }) => value)).toEqual(["vllm"]);
    expect(rowsOf(rows, "calibrated", "ttft_ms")).toEqual([]);
  });

  it("are a curve over the launches before", () => {
    const rows = [
      row("0", { base: { ttft_ms: view() }, calibrated: { ttft_ms: view({ median_ape: 10 }) } }),
      row("1", { base: { ttft_ms: view({ median_ape: 5 }) } }),
      row("2", {}),
    ];
    expect(learningSteps(rows, "ttft_ms")).toEqual([
      { launches: 0, base: 20, calibrated: 10 },
      { launches: 1, base: 5, calibrated: null },
    ]);
  });
});

describe("pairs of results", () => {
  it("are those that state the metric", () => {
    const pairs = [aPair(), aPair({ figures: {} })];
    expect(pairsOfResults(pairs, "ttft")).toMatchObject([
      { predicted: 120, actual: 100, error: 0.2, candidate: "tp4" },
    ]);
    expect(pairsOfResults(pairs, "tok_s")).toEqual([]);
  });
});
