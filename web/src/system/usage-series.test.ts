import { describe, expect, it } from "vitest";
import type { UsageList } from "~/api/system";
import { linesOf, peakOf, seriesOf } from "./usage-series";

const GPU = { name: "NVIDIA H100", memory_gib: 80, power_w: null, temperature_c: null };

function samples(...gpus: { index: number; use_percent: number | null }[][]): UsageList {
  const items = gpus.map((each, place) => ({
    at: new Date(place * 5_000).toISOString(),
    cpu_percent: 10 * place,
    memory_gib: 64,
    memory_used_gib: 16,
    gpus: each.map((gpu) => ({ ...GPU, memory_used_gib: 20, ...gpu })),
  }));
  const newest_at = items.at(-1)?.at ?? "";
  return { every_s: 5, host: "here", hosts: ["here"], newest_at, items };
}

describe("how busy the machine was", () => {
  it("each GPU has a line of its own, with holes where it was not seen", () => {
    const found = seriesOf(
      samples([], [{ index: 1, use_percent: 50 }], [{ index: 1, use_percent: null }]),
    );
    expect(found.map(({ id }) => id)).toEqual(["cpu", "memory", "gpu-1", "gpu-1-memory"]);
    expect(found[0]?.shares).toEqual([0, 0.1, 0.2]);
    expect(found[2]).toMatchObject({
      shares: [null, 0.5, null],
      now: null,
      product: "NVIDIA H100",
    });
    expect(found[3]).toMatchObject({ shares: [null, 0.25, 0.25], now: 20, most: 80 });
  });

  it("a time without samples is a hole as wide as it was long", () => {
    const { items, ...rest } = samples([], [], [], []);
    const [first, , , last] = items;
    const found = seriesOf({ ...rest, items: [first, last].filter((one) => one !== undefined) });
    expect(found[0]?.shares).toEqual([0, null, null, 0.3]);
  });

  it("a machine of which nothing arrives any more ends with a hole, and is not busy now", () => {
    const all = samples([], [], [{ index: 0, use_percent: 80 }], [], []);
    const [cpu, , gpu] = seriesOf({ ...all, items: all.items.slice(0, 3) });
    expect(cpu).toMatchObject({ shares: [0, 0.1, 0.2, null, null], now: null });
    expect(gpu).toMatchObject({ shares: [null, null, 0.8, null, null], now: null });
  });

  it("nothing is drawn of nothing", () => {
    expect(seriesOf(samples())).toEqual([]);
    expect(peakOf([null])).toBeNull();
  });

  it("lines break at holes and stay within their box", () => {
    expect(linesOf([0, null, 0.5, 2], 30, 10)).toBe("M0.0 10.0 M20.0 5.0 L30.0 0.0");
    expect(linesOf([0.5], 30, 10)).toBe("M0.0 5.0");
    expect(peakOf([0.2, null, 0.7])).toBe(0.7);
  });
});
