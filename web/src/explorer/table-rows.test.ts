import { describe, expect, it } from "vitest";
import { PointSet } from "./point-set";
import { nextSort, sortedIndices } from "./table-rows";
import { point } from "./testing-points";

const set = new PointSet([
  point({ load: 16, figures: { tok_s: 5 }, settings: { "a.b": "x10" } }),
  point({ load: 2, figures: { tok_s: 50 }, settings: { "a.b": "x9" } }),
  point({ load: 4, figures: {}, settings: {} }),
]);

describe("sortedIndices", () => {
  it.each([
    [null, [0, 1, 2]],
    ["tok_s", [0, 1, 2]],
    ["-tok_s", [1, 0, 2]],
    ["load", [1, 2, 0]],
    ["a.b", [1, 0, 2]],
    ["-a.b", [0, 1, 2]],
  ])("%s", (sort, expected) => {
    expect(sortedIndices(set, [0, 1, 2], sort)).toEqual(expected);
  });
});

it("asks for the best first, then the reverse, then the usual order", () => {
  expect(nextSort(null, "tok_s", true)).toBe("-tok_s");
  expect(nextSort("-tok_s", "tok_s", true)).toBe("tok_s");
  expect(nextSort("tok_s", "tok_s", true)).toBeNull();
  expect(nextSort("-tok_s", "ttft_ms", false)).toBe("ttft_ms");
});
