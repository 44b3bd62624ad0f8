import { describe, expect, it } from "vitest";
import type { ExpectedChange } from "~/api/performance";
import { askedOf, performanceSearch } from "./search-params";
import { aChange, aLatency, aPart, aRate } from "./testing-performance";
import {
  changeInWords,
  gainInWords,
  isExplained,
  limitsInWords,
  reachInWords,
  remarksOn,
  sourceInWords,
} from "./words";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("a latency", () => {
  it("says what limits it most, and what comes next where that counts", () => {
    expect(plain(limitsInWords({ compute: 0.7, overhead: 0.05 }))).toBe("Mostly compute (70 %).");
    expect(plain(limitsInWords({ interconnect: 0.4, compute: 0.35, overhead: 0.25 }))).toBe(
      "Mainly interconnect (40 %), then compute (35 %).",
    );
    expect(limitsInWords({})).toBe("");
  });

  it("is explained where the measurement lies within the interval of the parts", () => {
    expect(isExplained(aLatency({ value_ms: 30 }))).toBe(true);
    expect(isExplained(aLatency({ value_ms: 50 }))).toBe(false);
  });
});

describe("a part", () => {
  it("reaches what was learnt, else what is assumed", () => {
    expect(plain(reachInWords(aPart()))).toBe("45 % (34 to 58) of 7,700 GB/s");
    expect(reachInWords(aPart({ learnt: false }))).toBe("80 % of 7700 GB/s");
    expect(sourceInWords(aPart({ learnt: false }))).toBe("assumed");
  });

  it("without a rate takes longer or shorter than assumed", () => {
    expect(reachInWords(aPart({ rate: null, factor: 2.66 }))).toBe(
      "2.7 times as long as assumed (1.4 to 2.3)",
    );
    const time = aRate({ share: null, value: 3.1, low: 2.4, high: 3.9, unit: "us a kernel" });
    expect(reachInWords(aPart({ rate: time }))).toBe("3.1 us a kernel (2.4 to 3.9)");
  });

  it("says what is doubtful, and of what only a sum is known", () => {
    expect(reachInWords(aPart({ rate: aRate({ beyond_peak: true }) }))).toContain("doubtful");
    expect(sourceInWords(aPart({ learnt: false, confused_with: ["activations"] }))).toBe(
      "only its sum with activations is known",
    );
  });
});

describe("a change", () => {
  it("names settings as they are and as they would be", () => {
    const one = aChange({ changes: { "misc.threads": 2 }, now: { "misc.threads": null } });
    expect(changeInWords(one)).toBe("threads engine's default → 2");
  });

  it("gains a share, with its interval", () => {
    const { gain, interval } = gainInWords({ before: 100, after: 133, low: 102, high: 173 });
    expect([gain, interval].map(plain)).toEqual(["+33 %", "+2 % to +73 %"]);
    expect(gainInWords({ before: 0, after: 1, low: 1, high: 1 }).gain).toBe("–");
  });

  it("says on how many GPUs, whether it is clear, and whether to check the answers", () => {
    const more: Partial<ExpectedChange> = { gpus: 8, gpus_now: 4, clear: false };
    expect(remarksOn(aChange(more))).toEqual(["8 GPUs instead of 4", "not a clear gain"]);
    const narrow = aChange({ changes: { "quantization.gemm_mode": "fp8" }, measured_tok_s: 12 });
    expect(remarksOn(narrow)).toEqual([
      "measured there: 12 tok/s",
      "check the answers: a narrower format rounds more",
    ]);
  });
});

describe("the address", () => {
  it("holds a candidate and one load level, and nothing else", () => {
    const candidate = "1881c092359e";
    expect(performanceSearch({ candidate, concurrency: 8, rate: 2, x: 1 })).toEqual({
      candidate,
      concurrency: 8,
    });
    expect(performanceSearch({ candidate: "../etc", concurrency: -1, rate: "2.5" })).toEqual({
      rate: 2.5,
    });
    expect(askedOf({ candidate, load: { kind: "rate", value: 2 } })).toEqual({
      candidate,
      rate: 2,
    });
  });
});
