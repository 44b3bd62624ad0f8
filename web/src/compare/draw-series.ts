/** Several series on the same axes, as they are drawn on the page and in files alike. */

import type { Palette } from "~/charts/palette";
import type { MarkStyle, Pen } from "~/charts/pen";
import { spanOf } from "~/charts/scale";
import type { Plane } from "~/explorer/axes";
import { PICTURE } from "~/explorer/chart-files";
import { drawChart } from "~/explorer/draw-chart";
import type { Frame, Spans } from "~/explorer/frame";
import { type Layers, type Line, limitLines, type Marks } from "~/explorer/layers";
import type { Limits } from "~/explorer/slo";
import type { Dots } from "./dots";
import { DASHES, type Look } from "./looks";

const MARK_PX = 9;
/** A point whose figures may be far off is hollow and pale, whatever its series. */
const DISTURBED = { opacity: 0.45, outline: 1.5 };
/** Beyond this many, predictions that another beats are small and pale: measured points are seen. */
const MANY = 40;

/** One span for all, so that no series stands on axes of its own. */
export function spansOfPlanes(planes: readonly Plane[]): Spans {
  const [first] = planes;
  const all = (of: (plane: Plane) => Float64Array) =>
    Float64Array.from(planes.flatMap((plane) => [...of(plane)]));
  const [xs, ys] = [all((plane) => plane.xs), all((plane) => plane.ys)];
  return { x: spanOf(xs, first?.logX ?? false), y: spanOf(ys, first?.logY ?? false) };
}

/** Dots of each series and the line of its frontier; hollow unless the series is solid, hollow and
 * pale where a point was disturbed. */
export function layersOfSeries(
  dots: readonly Dots[],
  looks: readonly Look[],
  whiskers: readonly Line[] = [],
): Layers {
  const points: Marks[] = [];
  const best: Marks[] = [];
  const frontiers: Line[] = [];
  dots.forEach(({ plane, frontier, drawn, disturbed }, place) => {
    const look = looks[place] as Look;
    const { color, stroke } = look;
    const places = (some: readonly number[]) =>
      Float64Array.from(
        some.flatMap((index) => [plane.xs[index] as number, plane.ys[index] as number]),
      );
    const onLine = new Set(frontier);
    const beaten = drawn.filter((index) => !onLine.has(index));
    const isCrowd = stroke === "dotted" && beaten.length > MANY;
    const pale = isCrowd ? { size: 5, opacity: 0.3, outline: 1 } : {};
    const add = (to: Marks[], group: "plain" | "frontier", some: readonly number[], more = {}) => {
      const [sound, doubtful] = [false, true].map((isSo) =>
        places(some.filter((index) => disturbed.has(index) === isSo)),
      ) as [Float64Array, Float64Array];
      to.push({ ...markOf(look), ...more, group, places: sound });
      if (doubtful.length > 0) to.push({ ...markOf(look), ...DISTURBED, group, places: doubtful });
    };
    add(points, "plain", beaten, pale);
    frontiers.push({ places: places(frontier), color, width: 2, dash: DASHES[stroke] });
    add(best, "frontier", frontier);
  });
  return { points, frontiers, best, segments: whiskers, rings: [], letters: [] };
}

/** The dot of a look; hollow unless its series is solid. */
export function markOf({ color, shape, stroke }: Look): MarkStyle {
  return {
    ...{ color, shape, size: MARK_PX, opacity: 0.85 },
    ...(stroke !== "solid" && { outline: 2 }),
  };
}

const ROW_PX = 24;
const LEFT_PX = 74;

/** Size of a picture with a row for each series beneath the chart. */
export const pictureSize = (rows: number) => ({
  width: PICTURE.width,
  height: PICTURE.height + ROW_PX * rows + 10,
});

interface Picture {
  frame: Omit<Frame, "size">;
  layers: Layers;
  looks: readonly Look[];
  limits: Limits;
  /** Each series in words. */
  names: readonly string[];
}

/** The chart with limits as lines and the series by name: in a file there is no page around it. */
export function drawPicture(
  pen: Pen,
  { frame: inPlane, layers, looks, limits, names }: Picture,
  palette: Palette,
): void {
  const frame = { ...inPlane, size: PICTURE };
  drawChart(pen, frame, layers, palette, limitLines(limits, frame, palette));
  names.forEach((name, place) => {
    const look = looks[place] as Look;
    const y = PICTURE.height + ROW_PX * (place + 0.5);
    const line = [LEFT_PX, y, LEFT_PX + 34, y];
    pen.line(line, { color: look.color, width: 2, dash: DASHES[look.stroke] });
    pen.marks([{ ...markOf(look), positions: [LEFT_PX + 17, y] }]);
    pen.text(name, LEFT_PX + 44, y, { color: palette.text, size: 13, align: "left" });
  });
}
