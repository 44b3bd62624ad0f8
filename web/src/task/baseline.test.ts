import { describe, expect, it } from "vitest";
import type { Baseline, ComparedFigure } from "~/api/results";
import { certainty, comparisons, gain } from "./baseline";

const FIGURE: ComparedFigure = {
  quantity: "tok_s_per_gpu",
  recommended: 130,
  baseline: 100,
  ratio: 1.3,
  low: 1.1,
  high: 1.5,
  probability_better: 0.93,
  settled: "unclear",
};

describe("a change", () => {
  it.each([
    [1.382, "+38 %"],
    [0.959, "−4.1 %"],
    [1, "+0.0 %"],
    [3.24, "3.2 times"],
    [12.4, "12 times"],
  ])("of %d reads %s", (ratio, text) => {
    expect(gain(ratio)).toBe(text);
  });
});

describe("certainty", () => {
  it("says that a difference is not settled, either way", () => {
    expect(certainty(FIGURE)).toBe("better with 93 %: not settled");
    expect(certainty({ ...FIGURE, probability_better: 0.2 })).toBe("worse with 80 %: not settled");
  });

  it("never claims to be certain", () => {
    expect(certainty({ ...FIGURE, probability_better: 1, settled: "better" })).toBe(
      "better, 99.9 %",
    );
  });
});

describe("comparisons", () => {
  const at = (value: number) => ({ kind: "concurrency" as const, value });
  const baseline: Baseline = {
    kind: "defaults",
    candidate: "a",
    index: 1,
    status: "completed",
    reason: "the engine's defaults",
    failure: null,
    launches: 1,
    is_recommended: false,
    same_load: { load: at(8), baseline_load: at(8), baseline_meets_slo: false, figures: [FIGURE] },
    within_slo: { load: at(8), baseline_load: at(4), baseline_meets_slo: true, figures: [FIGURE] },
    changes: [],
  };

  it("begin with the same SLO", () => {
    const found = comparisons(baseline);
    expect(found.map(({ points }) => points)).toEqual([baseline.within_slo, baseline.same_load]);
    expect(found[0]?.title).toContain("their best level within the SLO");
  });

  it("say where the baseline misses the SLO everywhere", () => {
    const within_slo = {
      load: at(8),
      baseline_load: at(1),
      baseline_meets_slo: false,
      figures: [FIGURE],
    };
    expect(comparisons({ ...baseline, within_slo })[0]?.title).toContain("miss the SLO");
  });
});
