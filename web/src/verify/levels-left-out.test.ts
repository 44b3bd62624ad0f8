import { expect, it } from "vitest";
import { leftOut } from "./levels-left-out";

it("levels without a say are counted in one sentence", () => {
  expect(leftOut({ replayed: 0, disturbed: 0 })).toBe("");
  expect(leftOut({ replayed: 2, disturbed: 0 })).toBe("2 replayed levels are left out");
  expect(leftOut({ replayed: 0, disturbed: 1 })).toBe("1 disturbed level is left out");
  expect(leftOut({ replayed: 1, disturbed: 1 })).toBe(
    "1 replayed and 1 disturbed levels are left out",
  );
});
