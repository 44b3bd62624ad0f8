import { expect, it } from "vitest";
import type { Admitted, SloEffects } from "~/api/why";
import { PointSet } from "./point-set";
import { point } from "./testing-points";
import { furtherRelaxations, isSame, isUnmet, relaxationsOf } from "./why-not";

const admitted = (limits: Record<string, number>, points = 1): Admitted => ({
  ...{ limits, points, candidates: points, best: null },
});

const EFFECTS: SloEffects = {
  ...{ kind: "measured", points: 9, candidates: 3, lacking: {}, unclear: 0 },
  ...{ admitted: admitted({}, 0), missed_together: [], nearest: null, binding: "ttft_ms" },
  limits: [
    {
      ...{ name: "ttft_ms", limit_ms: 500, missing: 9, only_missing: 3 },
      ...{ candidates: 3, only_candidates: 1, nearest_ms: 612, tightest: null },
      relaxed: [admitted({ ttft_ms: 620, tpot_ms: 30 }, 14)],
    },
    {
      ...{ name: "tpot_ms", limit_ms: 30, missing: 2, only_missing: 0 },
      ...{ candidates: 0, only_candidates: 0, nearest_ms: 12, tightest: null, relaxed: [] },
    },
  ],
  factor: 1.24,
  at_factor: admitted({ ttft_ms: 620, tpot_ms: 37.2 }, 15),
};

it("lists each relaxed limit, and all of them together at the end", () => {
  const rows = relaxationsOf(EFFECTS);
  expect(rows.map(({ title, points }) => [title.replaceAll("\u00a0", " "), points])).toEqual([
    ["TTFT 500 ms → 620 ms", 14],
    ["All limits × 1.24", 15],
  ]);
  expect(rows[0]?.share).toBeCloseTo(0.24);
  expect(rows[0]?.limits).toEqual({ ttft_ms: 620, tpot_ms: 30 });
});

it("leaves out the relaxation that the answer's sentence has", () => {
  expect(furtherRelaxations(EFFECTS).map(({ key }) => key)).toEqual(["all"]);
  expect(furtherRelaxations({ ...EFFECTS, binding: null })).toHaveLength(2);
});

it("does not list all limits together where there is one, or where it would be stricter", () => {
  const one = { ...EFFECTS, limits: EFFECTS.limits.slice(0, 1) };
  expect(relaxationsOf(one)).toHaveLength(1);
  expect(relaxationsOf({ ...EFFECTS, factor: 0.9 })).toHaveLength(1);
});

it("is unmet where no measured point meets the limits, whatever is predicted", () => {
  const slow = point({ figures: { ttft_ms: 900 } });
  const fast = point({ kind: "predicted", experiment_index: null, figures: { ttft_ms: 100 } });
  expect(isUnmet(new PointSet([slow, fast]), { ttft_ms: 500 })).toBe(true);
  expect(isUnmet(new PointSet([slow, fast]), { ttft_ms: 950 })).toBe(false);
  expect(isUnmet(new PointSet([fast]), { ttft_ms: 500 })).toBe(false);
  expect(isUnmet(new PointSet([fast]), { ttft_ms: 50 })).toBe(true);
  expect(isUnmet(new PointSet([slow]), {})).toBe(false);
});

it("finds limits the same that have the same values", () => {
  expect(isSame({ ttft_ms: 1, tpot_ms: 2 }, { tpot_ms: 2, ttft_ms: 1 })).toBe(true);
  expect(isSame({ ttft_ms: 1 }, { ttft_ms: 1, tpot_ms: 2 })).toBe(false);
});
