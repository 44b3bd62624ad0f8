/** The dots of several series in one plane: which are drawn, which one is pointed at, what each is. */

import type { OperatingPoint } from "~/api/points";
import type { Area } from "~/charts/pen";
import type { Plane } from "~/explorer/axes";
import { type Spans, xPixel, yPixel } from "~/explorer/frame";
import { frontier } from "~/explorer/frontier";
import { load } from "~/ui/format";
import type { Series } from "./series";

export interface Dots {
  plane: Plane;
  /** Indices of the points on the frontier, along it. */
  frontier: readonly number[];
  /** Indices of the points that are drawn: all that lie in the plane, or the frontier alone. */
  drawn: readonly number[];
  /** Of these, the points that were disturbed. */
  disturbed: ReadonlySet<number>;
}

export function dotsOf(
  plane: Plane,
  onlyFrontier: boolean,
  points: readonly OperatingPoint[],
): Dots {
  const { xs, ys, x, y } = plane;
  const line = frontier(xs, ys, { x: x.better, y: y.better });
  const all = onlyFrontier ? line : Array.from(xs, (_, index) => index);
  const isThere = (index: number) =>
    !Number.isNaN(xs[index] as number) && !Number.isNaN(ys[index] as number);
  const drawn = all.filter(isThere);
  const disturbed = new Set(drawn.filter((index) => points[index]?.is_disturbed));
  return { plane, frontier: line, drawn, disturbed };
}

/** Place of a series, and of a point in it. */
export interface DotPlace {
  series: number;
  index: number;
}

/** The drawn dot nearest to a pixel, within a distance; null where there is none. Later ones lie on top. */
export function nearestDot(
  dots: readonly Dots[],
  spans: Spans,
  area: Area,
  pointer: { x: number; y: number },
  withinPx: number,
): DotPlace | null {
  let found: DotPlace | null = null;
  let best = withinPx * withinPx;
  dots.forEach(({ plane, drawn }, series) => {
    for (const index of drawn) {
      const dx = xPixel(area, spans.x, plane.xs[index] as number) - pointer.x;
      const dy = yPixel(area, spans.y, plane.ys[index] as number) - pointer.y;
      const distance = dx * dx + dy * dy;
      if (distance > best) continue;
      best = distance;
      found = { series, index };
    }
  });
  return found;
}

/** "#3 at 8 in flight", "tp2 dp2 at 8 in flight, predicted", "#3 at 8 in flight, disturbed". */
export function dotName(point: OperatingPoint): string {
  const which = point.experiment_index === null ? point.candidate : `#${point.experiment_index}`;
  const more = point.kind === "predicted" ? ", predicted" : point.is_disturbed ? ", disturbed" : "";
  return `${which} at ${load(point.load)}${more}`;
}

/** Settings in which points of any of the series differ. */
export function varyingSettings(series: readonly Series[]): string[] {
  const first = new Map<string, string>();
  const times = new Map<string, number>();
  const varying = new Set<string>();
  let all = 0;
  for (const { points } of series) {
    all += points.size;
    for (const { settings } of points.points) {
      for (const [path, value] of Object.entries(settings)) {
        const text = String(value);
        times.set(path, (times.get(path) ?? 0) + 1);
        if (!first.has(path)) first.set(path, text);
        else if (first.get(path) !== text) varying.add(path);
      }
    }
  }
  return [...first.keys()].filter((path) => varying.has(path) || times.get(path) !== all);
}

export interface DotRow {
  series: Series;
  point: OperatingPoint;
}

/** The drawn dots of all series as rows, series by series. */
export function dotRows(series: readonly Series[], dots: readonly Dots[]): DotRow[] {
  return series.flatMap((one, place) =>
    (dots[place]?.drawn ?? []).map((index) => ({
      series: one,
      point: one.points.points[index] as OperatingPoint,
    })),
  );
}
