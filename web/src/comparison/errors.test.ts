import { describe, expect, it } from "vitest";
import type { LevelComparison } from "~/api/comparison";
import { errorsBy, errorsOf, pairsOf } from "./errors";

function level(
  index: number,
  load: number,
  predicted: number,
  actual: number | null,
  source = "roofline",
): LevelComparison {
  const figures = {
    ttft_ms: predicted,
    tpot_ms: null,
    tok_s: 1,
    ttft_log_std: 0.1,
    tpot_log_std: 0.1,
    tok_s_log_std: 0.1,
    source,
    note: "",
    percentiles_from: "",
  };
  return {
    experiment: `c${index}`,
    index,
    load: { kind: "concurrency", value: load },
    measured: actual === null ? null : { ttft_ms: actual, tpot_ms: 5, tok_s: 1 },
    base: figures,
    calibrated: null,
    base_error: null,
    calibrated_error: null,
  };
}

const levels = [
  level(1, 8, 110, 100),
  level(1, 64, 80, 100),
  level(2, 8, 150, 100, "table"),
  level(3, 8, 90, null),
];

describe("pairs", () => {
  it("are of what was both predicted and measured", () => {
    expect(pairsOf(levels, "ttft_ms", "base").map(({ error }) => Number(error.toFixed(2)))).toEqual(
      [0.1, -0.2, 0.5],
    );
    expect(pairsOf(levels, "tpot_ms", "base")).toEqual([]);
    expect(pairsOf(levels, "ttft_ms", "calibrated")).toEqual([]);
  });

  it("carry the 80\u00a0% interval of the prediction", () => {
    const [pair] = pairsOf(levels, "ttft_ms", "base");
    expect(pair?.low).toBeCloseTo(110 / Math.exp(0.12816));
    expect(pair?.high).toBeCloseTo(110 * Math.exp(0.12816));
  });
});

describe("errors", () => {
  it("are the median, the mean, the bias and the shares within 10, 15 and 20\u00a0%", () => {
    const errors = errorsOf(
      pairsOf([level(1, 8, 109, 100), ...levels.slice(1)], "ttft_ms", "base"),
    );
    expect(errors?.pairs).toBe(3);
    expect(errors?.median).toBeCloseTo(0.2);
    expect(errors?.mean).toBeCloseTo(0.79 / 3);
    expect(errors?.geometricMeanRatio).toBeCloseTo((1.09 * 0.8 * 1.5) ** (1 / 3));
    expect(errors?.within.map((share) => Math.round(3 * share))).toEqual([1, 1, 2]);
    expect(errorsOf([])).toBeNull();
  });

  it("stand by load in its order, and by candidate and source worst first", () => {
    const pairs = pairsOf(levels, "ttft_ms", "base");
    expect(errorsBy(pairs, "load").map(({ value }) => value)).toEqual([
      "8\u00a0in\u00a0flight",
      "64\u00a0in\u00a0flight",
    ]);
    expect(errorsBy(pairs, "candidate").map(({ value }) => value)).toEqual(["#2", "#1"]);
    expect(errorsBy(pairs, "source").map(({ value, errors }) => [value, errors.pairs])).toEqual([
      ["table", 1],
      ["roofline", 2],
    ]);
  });
});
