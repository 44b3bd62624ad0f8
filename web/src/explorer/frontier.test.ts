import { describe, expect, it } from "vitest";
import { type Better, frontier } from "./frontier";

const HIGHER = { x: "higher", y: "higher" } as const;

/** Each point against each other one: slow, and plainly right. */
function byDefinition(xs: number[], ys: number[], better: { x: Better; y: Better }): number[] {
  const beats = (a: number, b: number, how: Better) => (how === "higher" ? a > b : a < b);
  const isBeaten = (i: number) =>
    xs.some((_, j) => {
      const [ax, ay, bx, by] = [xs[j], ys[j], xs[i], ys[i]] as [number, number, number, number];
      const noWorse = !beats(bx, ax, better.x) && !beats(by, ay, better.y);
      return noWorse && (beats(ax, bx, better.x) || beats(ay, by, better.y));
    });
  return xs.map((_, index) => index).filter((index) => !isBeaten(index));
}

describe("frontier", () => {
  it("keeps what nothing beats, along x", () => {
    expect(frontier([3, 1, 2, 2], [1, 3, 2, 1], HIGHER)).toEqual([1, 2, 0]);
  });

  it.each([
    ["higher", "higher"],
    ["higher", "lower"],
    ["lower", "higher"],
    ["lower", "lower"],
  ] as const)("is what its definition says: x %s, y %s", (x, y) => {
    let seed = 7;
    // A coarse grid, so that ties of every kind are among them.
    const next = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return 1 + (seed % 12);
    };
    const xs = Array.from({ length: 150 }, next);
    const ys = Array.from({ length: 150 }, next);
    const found = frontier(xs, ys, { x, y });
    expect(found.toSorted((a, b) => a - b)).toEqual(byDefinition(xs, ys, { x, y }));
    expect(found.map((index) => xs[index])).toEqual(
      found.map((index) => xs[index] as number).toSorted((a, b) => a - b),
    );
  });

  it("keeps equal points, and of those with one equal value the better", () => {
    expect(frontier([1, 1], [2, 2], HIGHER)).toHaveLength(2);
    expect(frontier([1, 1], [2, 3], HIGHER)).toEqual([1]);
    expect(frontier([1, 2], [3, 3], HIGHER)).toEqual([1]);
  });

  it("leaves out what has no value, or takes no part", () => {
    expect(frontier([9, 1, Number.NaN], [Number.NaN, 1, 9], HIGHER)).toEqual([1]);
    expect(frontier([1, 2], [1, 2], HIGHER, (index) => index === 0)).toEqual([0]);
    expect(frontier([], [], HIGHER)).toEqual([]);
  });

  it("is the same on logarithmic axes", () => {
    const xs = [5, 80, 1200, 300, 40];
    const ys = [900, 400, 20, 350, 100];
    expect(frontier(xs.map(Math.log10), ys.map(Math.log10), HIGHER)).toEqual(
      frontier(xs, ys, HIGHER),
    );
  });
});

describe("a frontier of thousands", () => {
  /** Numbers from 0 to 1 that are the same in every run. */
  function* draws(seed: number) {
    let state = seed;
    for (;;) {
      state = (1_103_515_245 * state + 12_345) % 2_147_483_648;
      yield state / 2_147_483_648;
    }
  }

  it.each([
    { x: "higher", y: "higher" },
    { x: "lower", y: "higher" },
    { x: "lower", y: "lower" },
  ] as const)("is that of every pair compared, where $x x and $y y are better", (better) => {
    const draw = draws(7);
    const next = () => draw.next().value as number;
    // Rounded, so that some are equal; a few far away, so that strips are crowded.
    const xs = Float64Array.from({ length: 3_000 }, (_, at) =>
      at % 500 === 0 ? 1_000 * next() : Math.round(400 * next()) / 400,
    );
    const ys = Float64Array.from({ length: 3_000 }, () => Math.round(400 * next()) / 400);
    const expected = byDefinition([...xs], [...ys], better);
    expect(frontier(xs, ys, better).toSorted((a, b) => a - b)).toEqual(expected);
  });
});
