import { describe, expect, it } from "vitest";
import type { PlannedPoint } from "~/api/plans";
import { roundStep, sketchOf } from "./sketch-layout";

const SIZE = { width: 100, height: 100, left: 10, right: 10, top: 10, bottom: 10 };
const point = (given: Partial<PlannedPoint>) =>
  ({
    candidate: "a",
    load: { kind: "concurrency", value: 1 },
    ttft_ms: 1,
    requests_per_s: 1,
    ...given,
  }) as PlannedPoint;

describe("the small chart of a plan", () => {
  it("keeps every point inside, the larger to the right and higher up", () => {
    const points = [
      point({ tok_s_per_user: 60, tok_s_per_gpu: 60 }),
      point({ tok_s_per_user: 20, tok_s_per_gpu: 150, candidate: "b" }),
    ];
    const sketch = sketchOf(points, (each) => each.candidate === "b", SIZE);
    const [left, right] = sketch.points;
    expect(left?.isRecommended).toBe(true);
    expect(left?.x).toBeLessThan(right?.x ?? 0);
    expect(left?.y).toBeLessThan(right?.y ?? 0);
    for (const { x, y } of sketch.points) {
      expect(x).toBeGreaterThanOrEqual(10);
      expect(x).toBeLessThanOrEqual(90);
      expect(y).toBeGreaterThanOrEqual(10);
      expect(y).toBeLessThanOrEqual(90);
    }
  });

  it("shows requests against TTFT where every answer has one token", () => {
    const sketch = sketchOf([point({ tok_s_per_user: null, tok_s_per_gpu: 1 })], () => false, SIZE);
    expect([sketch.xKey, sketch.yKey]).toEqual(["ttft_ms", "requests_per_s"]);
  });

  it.each([
    [0.7, 1],
    [1.2, 2],
    [30, 50],
    [0.03, 0.05],
    [600, 1000],
  ])("steps of %s become %s", (value, step) => {
    expect(roundStep(value)).toBeCloseTo(step, 10);
  });
});
