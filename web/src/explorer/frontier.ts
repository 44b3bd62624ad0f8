/** The Pareto frontier in the plane that is shown, whatever the task searched for. */

export type Better = "higher" | "lower";

/**
 * Indices of the points that no other point beats in both directions, along x from low to high.
 *
 * It depends on order alone, so it is the same on even and logarithmic axes. Points that are equal
 * in both directions beat nobody and all stay; a point without a place (NaN) takes no part.
 */
export function frontier(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  better: { x: Better; y: Better },
  takesPart: (index: number) => boolean = () => true,
): number[] {
  const signX = better.x === "higher" ? -1 : 1;
  const signY = better.y === "higher" ? -1 : 1;
  const x = (index: number) => signX * (xs[index] as number);
  const y = (index: number) => signY * (ys[index] as number);

  const placed: number[] = [];
  for (let index = 0; index < xs.length; index++) {
    if (!Number.isNaN(x(index)) && !Number.isNaN(y(index)) && takesPart(index)) placed.push(index);
  }
  const order = contenders(placed, x, y);
  // Best x first, and of those the best y: whoever follows has to have a better y.
  order.sort((a, b) => x(a) - x(b) || y(a) - y(b));

  const found: number[] = [];
  let last = -1;
  for (const index of order) {
    const equals = last >= 0 && x(index) === x(last) && y(index) === y(last);
    if (last >= 0 && !equals && y(index) >= y(last)) continue;
    found.push(index);
    last = index;
  }
  return better.x === "higher" ? found.reverse() : found;
}

const STRIPS = 512;

/**
 * Those that no point of a strip with better x beats: nearly all of thousands go without sorting.
 *
 * Strips divide x evenly; lower is better along both.
 */
function contenders(
  indices: number[],
  x: (index: number) => number,
  y: (index: number) => number,
): number[] {
  if (indices.length <= STRIPS) return indices;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const index of indices) {
    low = Math.min(low, x(index));
    high = Math.max(high, x(index));
  }
  const scale = STRIPS / (high - low || 1);
  const stripOf = (index: number) => Math.min(STRIPS - 1, Math.floor((x(index) - low) * scale));
  const best = new Float64Array(STRIPS).fill(Number.POSITIVE_INFINITY);
  for (const index of indices) {
    const strip = stripOf(index);
    if (y(index) < (best[strip] as number)) best[strip] = y(index);
  }
  // Of each strip, the best y of the strips before it.
  let before = Number.POSITIVE_INFINITY;
  for (let strip = 0; strip < STRIPS; strip++) {
    const own = best[strip] as number;
    best[strip] = before;
    before = Math.min(before, own);
  }
  return indices.filter((index) => y(index) < (best[stripOf(index)] as number));
}
