import { expect, it } from "vitest";
import { median } from "./median";

it("is the middle of values in any order, of two the mean, of none no number", () => {
  expect(median([10, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});
