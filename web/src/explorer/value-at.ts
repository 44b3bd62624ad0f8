/** What the frontier gives at a chosen value of x: "the most throughput at 50 tok/s per user". */

import type { Better } from "./frontier";

export interface ValueAt {
  /** Place on y. */
  y: number;
  /** Whether it lies between measured points, where nothing was measured. */
  isInterpolated: boolean;
  /** Indices of the points that it stands on: two, or the one that is at least as good. */
  neighbours: readonly number[];
}

/**
 * Best y of the frontier where x has to be as good as a place, or better.
 *
 * Between two points it lies on the line that is drawn between them, which is straight in places.
 * Where every point is better in x, the one with the best y of all answers; where none is good
 * enough, there is no value.
 *
 * @param line indices of the frontier, along x from low to high.
 */
export function valueAt(
  line: readonly number[],
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  x: number,
  better: Better,
): ValueAt | null {
  // From the best x down: y becomes better along the way.
  const order = better === "higher" ? line.toReversed() : line;
  const isGood = (index: number) =>
    better === "higher" ? (xs[index] as number) >= x : (xs[index] as number) <= x;
  const good = order.filter(isGood);
  const nearest = good.at(-1);
  if (nearest === undefined) return null;
  const beyond = order[good.length];
  const [x0, y0] = [xs[nearest] as number, ys[nearest] as number];
  if (beyond === undefined || x0 === x) {
    return { y: y0, isInterpolated: false, neighbours: [nearest] };
  }
  const [x1, y1] = [xs[beyond] as number, ys[beyond] as number];
  const neighbours = [nearest, beyond].sort((a, b) => (xs[a] as number) - (xs[b] as number));
  return { y: y0 + ((y1 - y0) * (x - x0)) / (x1 - x0), isInterpolated: true, neighbours };
}
