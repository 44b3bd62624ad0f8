/** Intervals of points as lines through them, along both axes. */

import type { OperatingPoint } from "~/api/points";
import { toPlace } from "~/charts/scale";
import type { Plane } from "./axes";

/** x, y, x, y. */
export type Segment = [number, number, number, number];

/** The intervals of a point's figures, as far as they are known at both ends. */
export function intervalsOf(
  point: OperatingPoint | undefined,
  plane: Plane,
  index: number,
): Segment[] {
  const [x, y] = [plane.xs[index] as number, plane.ys[index] as number];
  const found: Segment[] = [];
  const acrossX = endsOf(point, plane.x.key, plane.logX, x);
  const acrossY = endsOf(point, plane.y.key, plane.logY, y);
  if (acrossX) found.push([acrossX[0], y, acrossX[1], y]);
  if (acrossY) found.push([x, acrossY[0], x, acrossY[1]]);
  return found;
}

function endsOf(
  point: OperatingPoint | undefined,
  key: string,
  isLog: boolean,
  place: number,
): [number, number] | null {
  const figure = point?.figures[key];
  if (figure?.low == null || figure.high == null) return null;
  const low = toPlace(figure.low, isLog);
  // An interval that reaches 0 has no low end on a logarithmic axis.
  return [Number.isNaN(low) ? place : low, toPlace(figure.high, isLog)];
}

/** Segments in one array, with NaN twice between two of them. */
export function flat(segments: readonly Segment[]): Float64Array {
  const values = new Float64Array(segments.length * 6).fill(Number.NaN);
  segments.forEach((segment, index) => {
    values.set(segment, index * 6);
  });
  return values;
}
