import { describe, expect, it } from "vitest";
import { readValue, ruleOf, ruleText, textOf, wantedOf, wantedText } from "./written-values";

const VALUES = [
  8,
  0.9,
  true,
  "fp8",
  "",
  "8",
  "true",
  "a, b",
  "at least 4",
  "2 to 8",
  "rule all_replicas",
  " padded ",
  [8, 16],
  [8],
  [],
  ["vllm", "sglang"],
  ["a,b", "c"],
  ["8", 8],
  { a: [1, "x"] },
];

describe("values as one types them", () => {
  it.each(VALUES)("%j is read as it was written", (value) => {
    expect(readValue(textOf(value))).toEqual(value);
  });

  it("lists may have spaces or none", () => {
    expect(readValue("8,16, 32")).toEqual([8, 16, 32]);
  });

  it.each(["", "  ", "8,", "[1", '"open', "{a: 1}"])("%j is no value", (text) => {
    expect(readValue(text)).toBeUndefined();
  });

  it("a rule is no value", () => {
    expect(ruleOf(ruleText("all_replicas"))).toBe("all_replicas");
    expect(ruleOf("rules")).toBeNull();
  });
});

describe("conditions as one types them", () => {
  it.each([
    true,
    "vllm",
    ["vllm", "sglang"],
    { min: 4 },
    { max: 0.5 },
    { min: 2, max: 8 },
    "at most 4",
    "4 to 8",
  ])("%j is read as it was written", (wanted) => {
    expect(wantedOf(wantedText(wanted))).toEqual(wanted);
  });

  it("takes signs too", () => {
    expect(wantedOf(">= 4")).toEqual({ min: 4 });
    expect(wantedOf("<=80")).toEqual({ max: 80 });
  });
});
