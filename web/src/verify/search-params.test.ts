import { describe, expect, it } from "vitest";
import { settings, sideParts, sidesOf, verifySearch } from "./search-params";

const FILE = `file:${"a1".repeat(8)}`;

describe("the address of the page", () => {
  it("keeps what is valid, and nothing else", () => {
    const given = {
      predicted: FILE,
      actual: "measured:3",
      ttft: "200",
      metric: "tok_s",
      by: "load",
    };
    expect(verifySearch(given)).toEqual({ ...given, ttft: 200 });
    expect(
      verifySearch({
        predicted: "file:../etc",
        actual: "task:1",
        ttft: "-1",
        metric: "x",
        engine: "",
      }),
    ).toEqual({});
  });

  it("asks for nothing until both sides are there", () => {
    expect(sidesOf({ predicted: FILE })).toBeNull();
    expect(
      sidesOf({ predicted: FILE, actual: "base:2", tpot: 40, actualSet: "tp=4, gpus=8," }),
    ).toEqual({ predicted: FILE, actual: "base:2", tpot_ms: 40, actual_set: ["tp=4", "gpus=8"] });
  });
});

it("reads a side by its kind", () => {
  expect(sideParts("calibrated:12")).toEqual({ kind: "calibrated", which: "12" });
  expect(sideParts("calibrated:0")).toBeNull();
  expect(sideParts(undefined)).toBeNull();
});

it("reads settings with commas between them", () => {
  expect(settings(" tp=4 ,, gpus=8 ")).toEqual(["tp=4", "gpus=8"]);
  expect(settings(undefined)).toEqual([]);
});
