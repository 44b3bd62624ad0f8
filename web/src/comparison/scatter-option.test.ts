import { describe, expect, it } from "vitest";
import type { Pair } from "./errors";
import { scatterSeries, spanOfPairs } from "./scatter-option";

const palette = {
  text: "text",
  quiet: "quiet",
  line: "line",
  surface: "",
  measured: "measured",
  predicted: "",
  outside: "",
  limit: "",
  ring: "",
  order: [],
};
const pair = (predicted: number, actual: number): Pair => ({
  index: 1,
  candidate: "c",
  load: { kind: "concurrency", value: 8 },
  source: "",
  predicted,
  low: predicted / 2,
  high: predicted * 2,
  actual,
  error: predicted / actual - 1,
});

describe("the scatter", () => {
  const pairs = [pair(10, 100), pair(1000, 1000)];
  const span = spanOfPairs(pairs);
  const series = scatterSeries(pairs, span, palette) as {
    id: string;
    data: number[][] | Float64Array;
  }[];
  const of = (id: string) => series.find((one) => one.id === id)?.data;

  it("has one span that holds both sides", () => {
    expect(span.low).toBeLessThan(1);
    expect(span.high).toBeGreaterThan(3);
  });

  it("puts what is exact on the diagonal, and bands beside it by their factor", () => {
    expect(of("exact")).toEqual([
      [span.low, span.low],
      [span.high, span.high],
    ]);
    const band = of("band-1.2") as number[][];
    expect(10 ** ((band[0]?.[1] ?? 0) - span.low)).toBeCloseTo(1.2);
    expect(series.filter(({ id }) => id.startsWith("band"))).toHaveLength(6);
  });

  it("draws actual rightwards and predicted upwards", () => {
    expect([...(of("pairs") as Float64Array)]).toEqual([2, 1, 3, 3]);
  });

  it("leaves intervals out where they would hide the points", () => {
    const many = scatterSeries(
      Array.from({ length: 100 }, () => pair(1, 1)),
      span,
      palette,
    ) as { id: string }[];
    expect(many.some(({ id }) => id === "intervals")).toBe(false);
    expect(of("intervals")).toHaveLength(6);
  });
});
