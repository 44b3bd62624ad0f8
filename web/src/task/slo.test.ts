import { describe, expect, it } from "vitest";
import { quantity } from "~/ui/quantities";
import { interval, limitsOf } from "./slo";

describe("figures", () => {
  it("have intervals, of which an end may be unknown", () => {
    const ttft = quantity("ttft_ms");
    expect(interval(ttft, { value: 80, low: 78, high: 91 })).toBe("78 to 91\u00a0ms");
    expect(interval(ttft, { value: 80, low: 78, high: null })).toBe("at least 78\u00a0ms");
    expect(interval(ttft, { value: 80, low: null, high: 91 })).toBe("at most 91\u00a0ms");
    expect(interval(ttft, { value: 80, low: null, high: null })).toBeNull();
    expect(interval(ttft, null)).toBeNull();
  });
});

describe("the SLO", () => {
  it("takes targets of the runtime where slo leaves them out", () => {
    const document = { slo: { ttft_ms: 200 }, runtime: { ttft_target: 300, tpot_target: 20 } };
    expect(limitsOf(document)).toEqual({ ttft_ms: 200, tpot_ms: 20 });
    expect(limitsOf({})).toEqual({});
    expect(limitsOf({ runtime: { tpot_target: [20, 30] } })).toEqual({});
  });
});
