/** Several series on the same axes, as ECharts is to draw them. */

import type { EChartsCoreOption } from "echarts/core";
import type { Palette } from "~/charts/palette";
import { type Span, spanOf } from "~/charts/scale";
import { valueAxis } from "~/charts/value-axis";
import type { Plane } from "~/explorer/axes";
import { areaOf } from "~/explorer/frame";
import type { Dots } from "./dots";
import { SYMBOLS } from "./symbols";

/** What a series is drawn as: predictions dotted and hollow, what cannot be compared dashed and hollow. */
export type Stroke = "solid" | "dashed" | "dotted";

/** How a series is distinguished from the others: by colour, form and stroke. */
export interface Look {
  color: string;
  /** Path of its dots in a box of 10 by 10. */
  symbol: string;
  stroke: Stroke;
}

export const DASHES = { solid: "solid", dashed: [8, 5], dotted: [2, 4] } as const;

// Distinguished by their lightness too, and by their forms.
const COLORS = {
  light: ["#0b6a8f", "#c05a00", "#6b2fa0", "#2b7a3f", "#a3195b", "#5a6970", "#8a6d00", "#1f2a30"],
  dark: ["#5cc3e6", "#f2a65a", "#c3a0f0", "#6fcf86", "#ff8fc0", "#a3b1b8", "#e3cf5a", "#dfe6ea"],
} as const;

/** The stroke of a series that is marked or not: predicted ones are dotted even where they are. */
export const strokeOf = (isMarked: boolean, isPredicted: boolean): Stroke =>
  isPredicted ? "dotted" : isMarked ? "dashed" : "solid";

export function looks(strokes: readonly Stroke[], isDark: boolean): Look[] {
  const colors = COLORS[isDark ? "dark" : "light"];
  return strokes.map((stroke, place) => ({
    color: colors[place % colors.length] as string,
    symbol: (SYMBOLS[place % SYMBOLS.length] as (typeof SYMBOLS)[number]).path,
    stroke,
  }));
}

export interface PlaneSpan {
  x: Span;
  y: Span;
}

/** One span for all, so that no series stands on axes of its own. */
export function spanOfPlanes(planes: readonly Plane[]): PlaneSpan {
  const all = (of: (plane: Plane) => Float64Array) =>
    Float64Array.from(planes.flatMap((plane) => [...of(plane)]));
  const [first] = planes;
  return {
    x: spanOf(
      all(({ xs }) => xs),
      first?.logX ?? false,
    ),
    y: spanOf(
      all(({ ys }) => ys),
      first?.logY ?? false,
    ),
  };
}

export function planeAxes(
  plane: Plane,
  span: PlaneSpan,
  size: { width: number; height: number },
  palette: Palette,
): EChartsCoreOption {
  const axis = (at: "x" | "y") => {
    const { title, unit, better } = plane[at];
    return valueAxis(
      `${title} (${unit}), ${better} is better`,
      span[at],
      at === "x" ? plane.logX : plane.logY,
      {
        most: (at === "x" ? size.width : size.height) / 72,
        nameGap: at === "x" ? 28 : 56,
        palette,
      },
    );
  };
  return {
    animation: false,
    grid: { ...areaOf(size), outerBoundsMode: "none" },
    xAxis: axis("x"),
    yAxis: { ...axis("y"), nameRotate: 90 },
  };
}

/** Dots of each series and the line of its frontier in this plane. */
export function planeSeries(dots: readonly Dots[], given: readonly Look[]): object[] {
  return dots.flatMap(({ plane: { xs, ys }, frontier, drawn }, place) => {
    const { color, symbol, stroke } = given[place] as Look;
    const at = (index: number) => [xs[index] as number, ys[index] as number];
    const fill =
      stroke === "solid" ? { color } : { color: "transparent", borderColor: color, borderWidth: 2 };
    return [
      {
        id: `line-${place}`,
        type: "line",
        data: frontier.map(at),
        symbol: "none",
        silent: true,
        lineStyle: { color, width: 2, type: DASHES[stroke] },
        z: 2,
      },
      {
        id: `dots-${place}`,
        type: "scatter",
        data: drawn.map(at),
        symbol: `path://${symbol}`,
        symbolSize: 9,
        silent: true,
        itemStyle: { ...fill, opacity: 0.85 },
        z: 3,
      },
    ];
  });
}
