import { expect, it } from "vitest";
import { range } from "./range";

it("an interval has its unit once, unless its ends have different ones", () => {
  expect(range("84.8\u00a0ms", "302\u00a0ms")).toBe("84.8 to 302\u00a0ms");
  expect(range("900\u00a0ms", "12\u00a0s")).toBe("900\u00a0ms to 12\u00a0s");
  expect(range("35.9", "38")).toBe("35.9 to 38");
});
