import { describe, expect, it } from "vitest";
import {
  panned,
  placeAt,
  shareOf,
  spanOf,
  ticks,
  toPlace,
  toPlaces,
  toValue,
  zoomed,
} from "./scale";

describe("places", () => {
  it("are powers of ten on a logarithmic axis, and come back as values", () => {
    expect(toPlace(1000, true)).toBeCloseTo(3);
    expect(toValue(toPlace(42, true), true)).toBeCloseTo(42);
    expect(toPlace(42, false)).toBe(42);
  });

  it("are none where a logarithmic axis has none", () => {
    expect([...toPlaces(Float64Array.of(10, 0, -1, Number.NaN), true)]).toEqual([
      1,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });
});

describe("spanOf", () => {
  it("keeps 0 in sight unless the values are far from it", () => {
    expect(spanOf([10, 100], false).low).toBe(0);
    expect(spanOf([90, 100], false).low).toBeCloseTo(89.4);
  });

  it("leaves out what is not counted or has no place", () => {
    const span = spanOf([1, 2, Number.NaN, 9], true, (index) => index !== 3);
    expect(span.high).toBeLessThan(3);
    expect(span.low).toBeLessThan(1);
  });

  it("has a width for one value, and for none", () => {
    const one = spanOf([5, 5], false);
    expect(one.high).toBeGreaterThan(one.low);
    expect(spanOf([], false)).toEqual({ low: 0, high: 1 });
  });
});

describe("moving", () => {
  const span = { low: 10, high: 20 };

  it("zooms around the place under the pointer", () => {
    const closer = zoomed(span, 12, 0.5);
    expect(closer).toEqual({ low: 11, high: 16 });
    expect(shareOf(closer, 12)).toBeCloseTo(shareOf(span, 12));
  });

  it("pans by a share of the width", () => {
    expect(panned(span, -0.1)).toEqual({ low: 9, high: 19 });
  });

  it("finds the place of a share again", () => {
    expect(shareOf(span, placeAt(span, 0.3))).toBeCloseTo(0.3);
  });
});

describe("ticks", () => {
  it("are round and within the span", () => {
    expect(ticks({ low: 0, high: 103 }, false, 6)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(ticks({ low: 0.13, high: 0.52 }, false, 4)).toEqual([0.2, 0.3, 0.4, 0.5]);
  });

  it("are powers over decades, and round values within one", () => {
    const values = (low: number, high: number, most: number) =>
      ticks({ low: Math.log10(low), high: Math.log10(high) }, true, most).map((place) =>
        Number((10 ** place).toPrecision(6)),
      );
    expect(values(0.8, 1200, 5)).toEqual([1, 10, 100, 1000]);
    expect(values(9, 110, 6)).toEqual([10, 20, 50, 100]);
    expect(values(41, 68, 6)).toEqual([45, 50, 55, 60, 65]);
  });

  it("are never more than there is room for", () => {
    for (let high = 1; high < 1e6; high *= 3.7) {
      expect(ticks({ low: 0, high }, false, 6).length).toBeLessThanOrEqual(7);
      expect(ticks({ low: -3, high: Math.log10(high) }, true, 6).length).toBeLessThanOrEqual(7);
    }
  });
});
