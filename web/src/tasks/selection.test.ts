import { describe, expect, it } from "vitest";
import { allOf, extended, NOTHING, toggled } from "./selection";

const ORDER = [9, 8, 7, 6, 5];
const ids = (selection: { ids: ReadonlySet<number> }) => [...selection.ids].sort();

describe("a selection", () => {
  it("takes a row and gives it back", () => {
    const one = toggled(NOTHING, 7);
    expect(ids(one)).toEqual([7]);
    expect(ids(toggled(one, 7))).toEqual([]);
  });

  it("takes the rows between, upwards and downwards, and keeps the others", () => {
    const begun = toggled(toggled(NOTHING, 9), 7);
    expect(ids(extended(begun, 5, ORDER))).toEqual([5, 6, 7, 9]);
    expect(ids(extended(begun, 8, ORDER))).toEqual([7, 8, 9]);
  });

  it("takes one row where the other end is shown no longer", () => {
    const begun = toggled(NOTHING, 100);
    expect(ids(extended(begun, 8, ORDER))).toEqual([8, 100].sort());
  });

  it("takes all", () => {
    expect(ids(allOf(ORDER))).toEqual([5, 6, 7, 8, 9]);
  });
});
