import { describe, expect, it } from "vitest";
import { limitsIn, requestOf, sizingSearch } from "./search-params";

describe("the address of the page", () => {
  it("keeps what is valid, and nothing else", () => {
    const given = { users: "40", think: "8", headroom: "0", growth: 5, months: 6, price: "2.5" };
    const chosen = { gpus: "h100_sxm,h200_sxm", slo: "ttft_ms=500,tpot_p99_ms=45.5" };
    expect(sizingSearch({ ...given, ...chosen, source: "predicted" })).toEqual({
      ...{ users: 40, think: 8, headroom: 0, growth: 5, months: 6, price: 2.5 },
      ...chosen,
      source: "predicted",
    });
    expect(
      sizingSearch({
        ...{ rate: "-1", users: "", headroom: 100, growth: "lots", months: 2, price: 0 },
        ...{ gpus: "a b", source: "guessed", slo: "e2e_ms=4,tpot_ms=0" },
      }),
    ).toEqual({});
  });

  it("holds one kind of traffic, and a think time of users alone", () => {
    expect(sizingSearch({ rate: 4, users: 9, think: 3 })).toEqual({ rate: 4 });
  });

  it("has months of growth alone, whole ones", () => {
    expect(sizingSearch({ rate: 4, months: 3 })).toEqual({ rate: 4 });
    expect(sizingSearch({ rate: 4, growth: 5, months: 3.5 })).toEqual({ rate: 4, growth: 5 });
  });
});

describe("what the service is asked", () => {
  it("is nothing until there is traffic", () => {
    expect(requestOf({ headroom: 10 })).toBeNull();
  });

  it("has shares where the address has percent, and limits by their names", () => {
    expect(requestOf({ rate: 40, headroom: 25, growth: 5, slo: "tpot_ms=30" })).toEqual({
      ...{ rate: 40, headroom: 0.25, growth_per_month: 0.05, tpot_ms: 30 },
    });
  });

  it("names the task's limits that do not count", () => {
    expect(requestOf(sizingSearch({ rate: 4, slo: "ttft_ms=none,tpot_ms=30" }))).toEqual({
      ...{ rate: 4, unlimited: ["ttft_ms"], tpot_ms: 30 },
    });
  });

  it("is of GPUs by their names, whatever the source was", () => {
    const asked = requestOf({ users: 3, gpus: "h100_sxm,l4", source: "measured" });
    expect(asked).toEqual({ users: 3, gpu: ["h100_sxm", "l4"] });
  });
});

it("reads limits, and leaves out what is none", () => {
  expect(limitsIn("ttft_ms=500,tpot=3,tpot_ms=1e3,e2e_p90_ms=9000")).toEqual({
    ...{ ttft_ms: 500, e2e_p90_ms: 9000 },
  });
});
