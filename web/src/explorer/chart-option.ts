/** The chart as ECharts is to draw it. Its axes are in places, and their ticks are given. */

import type { EChartsCoreOption } from "echarts/core";
import type { OperatingPoint } from "~/api/points";
import type { Palette } from "~/charts/palette";
import { type Span, ticks, toPlace, toValue } from "~/charts/scale";
import { number, usd } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import { axisLimit, type Plane } from "./axes";
import type { PointSet } from "./point-set";
import { GROUPS, type Group, type Scene, type Segments } from "./scene";
import type { Limits } from "./slo";

/** Room around the plot for axes and their names, in px. */
export const MARGINS = { left: 66, right: 22, top: 14, bottom: 46 } as const;

export interface Spans {
  x: Span;
  y: Span;
}

export interface Frame {
  plane: Plane;
  spans: Spans;
  size: { width: number; height: number };
  palette: Palette;
}

export interface Marks {
  set: PointSet;
  scene: Scene;
  /** Lines between pairs, and intervals; null where they are not wanted. */
  segments: Segments | null;
  colorByOrder: boolean;
  /** Indices of the pinned points, and of the recommended one. */
  pinned: readonly number[];
  recommended: number | null;
}

type Kind = "measured" | "predicted";
type Series = Record<string, unknown>;

/** From this many on, points are small squares: drawn fastest, and still told apart. */
const DENSE = 2_500;
/** From this many on, a series is one path instead of one element for each point. */
const LARGE = 600;
const ORDER_COLORS = 7;

/** What moves when the chart is panned; the points stay what they are. */
export function axesOption({ plane, spans, size, palette }: Frame): EChartsCoreOption {
  const width = size.width - MARGINS.left - MARGINS.right;
  const height = size.height - MARGINS.top - MARGINS.bottom;
  return {
    animation: false,
    // The margins have room for the labels: ECharts need not lay them out twice in each frame.
    grid: { ...MARGINS, outerBoundsMode: "none" },
    xAxis: {
      ...axis(plane.x, spans.x, plane.logX, Math.max(2, Math.floor(width / 80)), palette),
      nameGap: 28,
    },
    yAxis: {
      ...axis(plane.y, spans.y, plane.logY, Math.max(2, Math.floor(height / 42)), palette),
      nameGap: 50,
      nameRotate: 90,
    },
  };
}

function axis(
  quantity: Quantity,
  span: Span,
  isLog: boolean,
  most: number,
  palette: Palette,
): Series {
  const places = ticks(span, isLog, most);
  const write = quantity.unit === "USD" ? usd : number;
  // Names run along their axes, so that the arrow points to where values are better.
  const name = `${quantity.title}${quantity.unit ? ` (${quantity.unit})` : ""}`;
  const scale = isLog ? ", log" : "";
  return {
    type: "value",
    min: span.low,
    max: span.high,
    name: quantity.better === "higher" ? `${name}${scale}  better →` : `← better  ${name}${scale}`,
    nameLocation: "middle",
    nameTextStyle: { color: palette.text, fontSize: 12, fontWeight: 550 },
    axisLine: { show: true, onZero: false, lineStyle: { color: palette.line } },
    axisTick: { show: false, customValues: places },
    axisLabel: {
      color: palette.quiet,
      fontSize: 11,
      customValues: places,
      formatter: (place: number) => write(toValue(place, isLog)),
    },
    splitLine: { lineStyle: { color: palette.line } },
  };
}

/** Everything that stands on the axes, what lies below first. */
export function seriesOption(marks: Marks, palette: Palette): Series[] {
  return [
    ...segmentSeries(marks, palette),
    ...pointSeries(marks, palette),
    ...frontierSeries(marks, palette),
    ...ringSeries(marks, palette),
  ];
}

/** Limits as lines of the picture, for a chart that leaves the page. */
export function limitSeries(limits: Limits, { plane, spans }: Frame, palette: Palette): Series[] {
  const style = { color: palette.limit, width: 1.5, type: "dashed" };
  const lines: Series[] = [];
  for (const side of ["x", "y"] as const) {
    const limit = axisLimit(plane[side]);
    const value = limit && limits[limit.name];
    if (!limit || !value) continue;
    const place = toPlace(limit.toAxis(value), side === "x" ? plane.logX : plane.logY);
    const { low, high } = side === "x" ? spans.y : spans.x;
    const data =
      side === "x"
        ? [
            [place, low],
            [place, high],
          ]
        : [
            [low, place],
            [high, place],
          ];
    lines.push(line(`limit-${side}`, data, style, 9));
  }
  return lines;
}

function line(id: string, data: unknown, lineStyle: object, z: number): Series {
  return {
    id,
    type: "line",
    data,
    dimensions: ["x", "y"],
    lineStyle,
    z,
    symbol: "none",
    silent: true,
  };
}

function segmentSeries({ segments }: Marks, palette: Palette): Series[] {
  if (segments === null) return [];
  const found = [
    line("intervals", segments.intervals, { color: palette.quiet, width: 1, opacity: 0.55 }, 2),
    line("links", segments.links, { color: palette.quiet, width: 1.25, type: [3, 3] }, 2),
  ];
  return found.filter(({ data }) => (data as Float64Array).length > 0);
}

function frontierSeries({ scene }: Marks, palette: Palette): Series[] {
  const lines: Series[] = [];
  const { xs, ys } = scene.plane;
  for (const kind of ["predicted", "measured"] as const) {
    const shown = scene.frontiers[kind].filter((index) => scene.groups[index] !== 0);
    if (shown.length < 2) continue;
    const style = {
      color: palette[kind],
      width: kind === "measured" ? 2 : 1.5,
      type: kind === "measured" ? "solid" : [6, 4],
    };
    lines.push(
      line(
        `frontier-${kind}`,
        shown.map((index) => [xs[index], ys[index]]),
        style,
        4,
      ),
    );
  }
  return lines;
}

function ringSeries({ scene, pinned, recommended }: Marks, palette: Palette): Series[] {
  const { xs, ys } = scene.plane;
  const at = (index: number) => [xs[index], ys[index]];
  const isPlaced = (index: number) => !Number.isNaN(xs[index]) && !Number.isNaN(ys[index]);
  const ring = (id: string, symbol: string, symbolSize: number, indices: readonly number[]) => ({
    id,
    type: "scatter",
    data: indices.filter(isPlaced).map(at),
    symbol,
    symbolSize,
    itemStyle: { color: "transparent", borderColor: palette.ring, borderWidth: 2 },
    silent: true,
    z: 7,
  });
  const letters = pinned.map((index, place) => ({
    value: at(index),
    label: { show: true, formatter: "AB"[place], position: "top", distance: 8 },
  }));
  return [
    ...(recommended === null ? [] : [ring("recommended", STAR, 22, [recommended])]),
    {
      ...ring("pinned", "circle", 17, []),
      data: letters.filter((_, place) => isPlaced(pinned[place] as number)),
      label: { color: palette.text, fontWeight: 700, fontSize: 13 },
    },
  ];
}

const STAR = "path://M12 1l3.2 7.2 7.8.8-5.9 5.2 1.7 7.8L12 18l-6.8 4 1.7-7.8L1 9l7.8-.8z";

function pointSeries(marks: Marks, palette: Palette): Series[] {
  const { set, scene, colorByOrder } = marks;
  const { xs, ys } = scene.plane;
  const orderOf = colorByOrder ? orderBins(set) : null;
  const buckets: Bucket[] = [];
  let shown = 0;
  for (let index = 0; index < scene.groups.length; index++) {
    const code = scene.groups[index] as number;
    if (code === 0) continue;
    shown += 1;
    const kind = (set.points[index] as OperatingPoint).kind;
    const bin = orderOf === null ? -1 : (orderOf[index] as number);
    // A number, not a text: there are thousands of points in each frame of a drag.
    const at = 2 * ((ORDER_COLORS + 1) * code + bin + 1) + (kind === "measured" ? 1 : 0);
    let bucket = buckets[at];
    if (bucket === undefined) {
      bucket = { group: GROUPS[code] as Group, kind, bin, places: [] };
      buckets[at] = bucket;
    }
    bucket.places.push(xs[index] as number, ys[index] as number);
  }
  const isDense = shown > DENSE;
  return buckets.filter(Boolean).map(({ group, kind, bin, places }) => ({
    id: `points ${group} ${kind} ${bin}`,
    type: "scatter",
    data: Float64Array.from(places),
    dimensions: ["x", "y"],
    large: true,
    largeThreshold: isDense ? 1 : LARGE,
    progressive: 0,
    silent: true,
    // Groups lie above each other in their order, and measured points above predicted ones.
    z: group === "frontier" ? 5 : 3,
    ...look(group, kind, bin, isDense, palette),
  }));
}

interface Bucket {
  group: Group;
  kind: Kind;
  bin: number;
  places: number[];
}

/** Marks differ in shape as well as in colour: measured ones are round, predicted ones are not. */
function look(group: Group, kind: Kind, bin: number, isDense: boolean, palette: Palette): Series {
  const own = bin >= 0 && kind === "measured" ? palette.order[bin] : palette[kind];
  const symbol = kind === "measured" ? "circle" : "diamond";
  const usual = isDense ? 3 : kind === "measured" ? 7 : 8;
  switch (group) {
    case "frontier":
      return { symbol, symbolSize: kind === "measured" ? 10 : 11, itemStyle: { color: own } };
    case "plain":
      return { symbol, symbolSize: usual, itemStyle: { color: own } };
    case "dimmed":
      return {
        symbol,
        symbolSize: usual,
        itemStyle: { color: own, opacity: bin >= 0 ? 0.75 : 0.38 },
      };
    case "unsteady":
      return {
        symbol: isDense ? symbol : CROSS,
        symbolSize: usual,
        itemStyle: { color: palette.outside },
      };
    case "outside":
      return { symbol, symbolSize: usual, itemStyle: { color: palette.outside, opacity: 0.8 } };
    default:
      return {
        symbol,
        symbolSize: isDense ? 2 : 4,
        itemStyle: { color: palette.outside, opacity: 0.3 },
      };
  }
}

const CROSS = "path://M2 0L10 8L18 0L20 2L12 10L20 18L18 20L10 12L2 20L0 18L8 10L0 2Z";

/** Of each measured point, the part of the search in which it was launched; -1 for the others. */
function orderBins(set: PointSet): Int8Array {
  const last = set.points.reduce((most, point) => Math.max(most, point.experiment_index ?? 0), 1);
  return Int8Array.from(set.points, ({ kind, experiment_index: index }) =>
    kind === "measured" && index !== null
      ? Math.min(ORDER_COLORS - 1, Math.floor(((index - 1) / last) * ORDER_COLORS))
      : -1,
  );
}
