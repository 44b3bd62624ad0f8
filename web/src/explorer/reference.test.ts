import { describe, expect, it } from "vitest";
import { quantity } from "~/ui/quantities";
import { PointSet } from "./point-set";
import { changeFrom, changeInWords, referenceOf } from "./reference";
import { point } from "./testing-points";

const BASELINE = { name: "the engine's defaults", candidate: "base", index: 0 };
const at = (load: number, tok_s: number, index: number | null, candidate = "base") =>
  point({ load, candidate, experiment_index: index, figures: { tok_s } });
const set = new PointSet([
  at(8, 400, 0),
  at(1, 100, 0),
  at(8, 580, 1, "better"),
  at(4, 300, 1, "better"),
  { ...at(8, 900, null, "better"), kind: "predicted" as const },
  at(8, 410, 5),
  { ...at(16, 50, 0), is_steady: false },
]);

describe("the reference", () => {
  it("is the baseline's own steady points, the lowest load first", () => {
    expect(referenceOf(set, BASELINE)).toEqual({ name: BASELINE.name, indices: [1, 0] });
  });

  it("is none without a baseline, and where it has no point", () => {
    expect(referenceOf(set, null)).toBeNull();
    expect(referenceOf(set, { ...BASELINE, candidate: "failed" })).toBeNull();
  });
});

describe("a point against it", () => {
  const reference = referenceOf(set, BASELINE);
  if (reference === null) throw new Error("it has points");
  const changeOf = (index: number) =>
    changeFrom(set, reference, set.points[index] as never, "tok_s");

  it("is compared at the same load", () => {
    expect(changeOf(2)).toBeCloseTo(0.45);
  });

  it("is not compared where the baseline has no such load, or it is a prediction", () => {
    expect(changeOf(3)).toBeNull();
    expect(changeOf(4)).toBeNull();
  });

  it("has the figures of the reference itself, which the rest is of", () => {
    const words = (index: number) =>
      changeInWords(set, reference, set.points[index] as never, quantity("tok_s"));
    expect([words(0), words(2), words(3)]).toEqual(["400", "+45\u00a0%", "–"]);
  });
});
