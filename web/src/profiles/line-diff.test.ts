import { describe, expect, it } from "vitest";
import { linePairs } from "./line-diff";

describe("two texts line by line", () => {
  it("have what is alike side by side, and what replaces it beside it", () => {
    expect(linePairs("a\nb\nc\nd\n", "a\nx\nc\n")).toEqual([
      { mine: "a", theirs: "a" },
      { mine: "b", theirs: "x" },
      { mine: "c", theirs: "c" },
      { mine: "d", theirs: null },
    ]);
  });

  it("that are alike have no gap, and of one that is longer nothing is lost", () => {
    expect(linePairs("a\nb", "a\nb").every(({ mine, theirs }) => mine === theirs)).toBe(true);
    const rows = linePairs("b", "a\nb\nc");
    expect(rows.map(({ theirs }) => theirs)).toEqual(["a", "b", "c"]);
    expect(rows.map(({ mine }) => mine)).toEqual([null, "b", null]);
  });
});
