import { describe, expect, it } from "vitest";
import { planeOf } from "~/explorer/axes";
import { PointSet } from "~/explorer/point-set";
import { point } from "~/explorer/testing-points";
import { quantity } from "~/ui/quantities";
import { dotsOf } from "./dots";
import { layersOfSeries } from "./draw-series";
import { intervalInWords, whiskersOf } from "./intervals";
import { lookAt } from "./looks";

const AXES = { x: "ttft_ms", y: "tok_s", logX: false, logY: false };
const ttft = (value: number, low: number | null, high: number | null) =>
  point({ figures: { ttft_ms: { value, low, high }, tok_s: value } });
const drawnOf = (items: ReturnType<typeof point>[]) => {
  const dots = [dotsOf(planeOf(new PointSet(items), AXES), false, items)];
  const looks = [lookAt(0, "solid", false)];
  return { dots, looks, whiskers: whiskersOf([items], dots, looks) };
};
/** Ends of whiskers, without the gaps between them. */
const ends = (lines: readonly { places: Float64Array }[]) =>
  lines.map(({ places }) => [...places].filter((place) => !Number.isNaN(place)));

describe("whiskers", () => {
  it("are the intervals of what was measured, where both ends are known", () => {
    const measured = ttft(10, 8, 13);
    const items = [measured, ttft(20, null, 30), ttft(30, null, null)];
    const { dots, looks, whiskers } = drawnOf(items);
    expect(ends(whiskers.lines)).toEqual([[8, 10, 13, 10]]);
    expect(layersOfSeries(dots, looks, whiskers.lines).segments).toBe(whiskers.lines);
    const predicted = drawnOf([{ ...measured, kind: "predicted" }]);
    expect(predicted.whiskers.lines).toEqual([]);
  });

  it("are pale where the point was disturbed", () => {
    const items = [ttft(10, 8, 13), { ...ttft(20, 19, 22), is_disturbed: true }];
    const [sound, doubtful] = drawnOf(items).whiskers.lines;
    expect(ends([sound, doubtful].flatMap((line) => line ?? []))).toEqual([
      [8, 10, 13, 10],
      [19, 20, 22, 20],
    ]);
    expect(doubtful?.opacity).toBeLessThan(sound?.opacity as number);
  });

  it("are those of the frontier alone among very many points", () => {
    const best = point({ figures: { ttft_ms: { value: 1, low: 0.5, high: 2 }, tok_s: 10_000 } });
    const others = Array.from({ length: 300 }, (_, at) => ttft(10 + at, 9 + at, 11 + at));
    const { whiskers } = drawnOf([best, ...others]);
    expect(whiskers.isThinned).toBe(true);
    expect(ends(whiskers.lines)).toEqual([[0.5, 10_000, 2, 10_000]]);
    expect(drawnOf(others.slice(0, 50)).whiskers.isThinned).toBe(false);
  });
});

describe("an interval in words", () => {
  const words = (one: ReturnType<typeof point>) =>
    intervalInWords(one, quantity("ttft_ms")).replaceAll("\u00a0", " ");

  it("is half its width where it is even, else its ends", () => {
    expect(words(ttft(100, 97, 103))).toBe("± 3 ms");
    expect(words(ttft(100, 98, 140))).toBe("98 ms to 140 ms");
    expect(words(ttft(100, null, 140))).toBe("up to 140 ms");
  });

  it("has its level where that is another, and is not known elsewhere", () => {
    expect(words({ ...ttft(100, 90, 120), kind: "predicted" })).toBe("80 %: 90 ms to 120 ms");
    expect(words(ttft(100, null, null))).toBe("not known");
    expect(words(point())).toBe("–");
  });
});
