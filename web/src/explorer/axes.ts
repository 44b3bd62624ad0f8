/** The plane in which points are shown: two figures, each on an even or a logarithmic axis. */

import { toPlaces } from "~/charts/scale";
import { QUANTITIES, type Quantity, quantity } from "~/ui/quantities";
import type { PointSet } from "./point-set";

export interface Plane {
  x: Quantity;
  y: Quantity;
  logX: boolean;
  logY: boolean;
  /** Places of all points; NaN where a point has none on the axis. */
  xs: Float64Array;
  ys: Float64Array;
}

export function planeOf(
  set: PointSet,
  axes: { x: string; y: string; logX: boolean; logY: boolean },
): Plane {
  const { logX, logY } = axes;
  return {
    x: quantity(axes.x),
    y: quantity(axes.y),
    logX,
    logY,
    xs: toPlaces(set.column(axes.x), logX),
    ys: toPlaces(set.column(axes.y), logY),
  };
}

/** Figures that some point has, which are those that can be axes. */
export function axisChoices(set: PointSet): Quantity[] {
  return QUANTITIES.filter(({ key }) => set.has(key));
}

const USUAL = ["tok_s_per_gpu", "tok_s_per_user", "ttft_ms", "tok_s"];

/** Axes that a task is looked at on first: what it was for, with throughput upwards. */
export function usualAxes(objectives: readonly string[], choices: readonly Quantity[]) {
  const isChoice = (key: string) => choices.some((choice) => choice.key === key);
  const [first, second] = [...new Set([...objectives, ...USUAL])].filter(isChoice);
  const y = first ?? "tok_s_per_gpu";
  const x = second ?? "tok_s_per_user";
  const isUpwards = quantity(y).better === "higher" || quantity(x).better === "lower";
  return isUpwards ? { x, y } : { x: y, y: x };
}

/** A limit as it lies on an axis: that of TPOT is also one of the speed that a user sees. */
export interface AxisLimit {
  /** Latency that is limited. */
  name: string;
  toAxis: (limit: number) => number;
  toLimit: (value: number) => number;
}

const same = (value: number): number => value;
const perSecond = (value: number): number => 1000 / value;

export function axisLimit(axis: Quantity): AxisLimit | null {
  if (axis.unit === "ms") return { name: axis.key, toAxis: same, toLimit: same };
  if (axis.key === "tok_s_per_user") {
    return { name: "tpot_ms", toAxis: perSecond, toLimit: perSecond };
  }
  return null;
}
