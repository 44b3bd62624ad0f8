import { describe, expect, it } from "vitest";
import {
  ago,
  change,
  duration,
  fieldName,
  load,
  milliseconds,
  number,
  setting,
  unbroken,
  usd,
} from "./format";

describe("numbers", () => {
  it.each([
    [0.01234, "0.0123"],
    [1.2345, "1.23"],
    [123.45, "123"],
    [12_345.6, "12,346"],
    [0, "0"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("%s is written %s", (value, text) => {
    expect(number(value)).toBe(text);
  });

  it("writes long latencies in seconds", () => {
    expect(milliseconds(9_999)).toBe("9,999\u00a0ms");
    expect(milliseconds(12_340)).toBe("12.3\u00a0s");
  });

  it("writes small amounts of money with the digits that tell them apart", () => {
    expect(usd(0.0123)).toBe("$0.0123");
    expect(usd(2)).toBe("$2.00");
    expect(usd(1234)).toBe("$1,234");
  });

  it("gives changes a sign", () => {
    expect(change(0.125)).toBe("+12.5\u00a0%");
    expect(change(-0.03)).toBe("−3\u00a0%");
    expect(change(0)).toBe("0\u00a0%");
    expect(change(-0.0002)).toBe("0\u00a0%");
    expect(change(19.662)).toBe("+1,966\u00a0%");
  });
});

describe("times", () => {
  it.each([
    [8, "8\u00a0s"],
    [190, "3\u00a0min 10\u00a0s"],
    [7_500, "2\u00a0h 5\u00a0min"],
    [60, "1\u00a0min"],
    [0.2, "0\u00a0s"],
    [-3, "0\u00a0s"],
  ])("%s s are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it("counts by the service's clock and never into the future", () => {
    const now = Date.parse("2026-11-26T10:00:00Z");
    expect(ago("2026-11-26T09:55:00Z", now)).toBe("5\u00a0min ago");
    expect(ago("2026-11-26T11:00:00Z", now)).toBe("just now");
  });
});

describe("settings", () => {
  it("writes load levels of both kinds", () => {
    expect(load({ kind: "concurrency", value: 8 })).toBe("8\u00a0in\u00a0flight");
    expect(load({ kind: "rate", value: 2.5 })).toBe("2.5\u00a0requests/s");
  });

  it("writes values as people say them", () => {
    expect(setting(true)).toBe("on");
    expect(setting(null)).toBe("engine's default");
    expect(setting(["--a", "1"])).toBe("--a 1");
    expect(fieldName("scheduling.max_running_requests")).toBe("max running requests");
    expect(fieldName("quantization.kvcache_mode")).toBe("KV cache mode");
    expect(fieldName("parallel.moe_expert_parallel")).toBe("MoE expert parallel");
  });
});

describe("text of the service", () => {
  it("keeps numbers beside their units", () => {
    expect(unbroken("69 % of it, ± 50 % at 8 in flight")).toBe(
      "69\u00a0% of it, ±\u00a050\u00a0% at 8\u00a0in flight",
    );
    expect(unbroken("24 steps and 3 more")).toBe("24 steps and 3 more");
  });
});
