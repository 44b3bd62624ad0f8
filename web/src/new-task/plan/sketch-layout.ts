/** Where the points of the small chart of a plan lie, and its ticks. Pure. */

import type { PlannedPoint } from "~/api/plans";

export interface SketchSize {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Tick {
  at: number;
  value: number;
}

export interface SketchPoint {
  x: number;
  y: number;
  point: PlannedPoint;
  isRecommended: boolean;
}

export interface Sketch {
  xKey: PlotKey;
  yKey: PlotKey;
  points: SketchPoint[];
  line: string;
  xTicks: Tick[];
  yTicks: Tick[];
}

export type PlotKey = "tok_s_per_user" | "tok_s_per_gpu" | "ttft_ms" | "requests_per_s";

/** Answers of one token have no speed per user; then requests against the time to the token. */
export function axesOf(points: readonly PlannedPoint[]): [PlotKey, PlotKey] {
  const isDecoded = points.some((point) => point.tok_s_per_user !== null);
  return isDecoded ? ["tok_s_per_user", "tok_s_per_gpu"] : ["ttft_ms", "requests_per_s"];
}

export function sketchOf(
  frontier: readonly PlannedPoint[],
  isRecommended: (point: PlannedPoint) => boolean,
  size: SketchSize,
): Sketch {
  const [xKey, yKey] = axesOf(frontier);
  const drawn = frontier.filter((point) => point[xKey] !== null && point[yKey] !== null);
  const value = (point: PlannedPoint, key: PlotKey) => point[key] ?? 0;
  const largest = (key: PlotKey) => Math.max(0, ...drawn.map((point) => value(point, key)));
  const xScale = scaleOf(largest(xKey), size.left, size.width - size.right);
  const yScale = scaleOf(largest(yKey), size.height - size.bottom, size.top);
  const points = drawn
    .map((point) => ({
      x: xScale.at(value(point, xKey)),
      y: yScale.at(value(point, yKey)),
      point,
      isRecommended: isRecommended(point),
    }))
    .sort((a, b) => a.x - b.x);
  return {
    xKey,
    yKey,
    points,
    line: points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
    xTicks: xScale.ticks,
    yTicks: yScale.ticks,
  };
}

const TICKS = 4;

/** A scale from 0 to a round value at or above the largest. */
function scaleOf(largest: number, from: number, to: number) {
  const step = roundStep((largest || 1) / TICKS);
  const end = step * Math.ceil((largest || 1) / step);
  const at = (value: number) => from + ((to - from) * value) / end;
  const count = Math.round(end / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => {
    const value = Number((index * step).toPrecision(6));
    return { value, at: at(value) };
  });
  return { at, ticks };
}

/** 1, 2 or 5 times a power of ten, at or above a value. */
export function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const [factor = 10] = [1, 2, 5, 10].filter((each) => each * power >= value * 0.999);
  return factor * power;
}
