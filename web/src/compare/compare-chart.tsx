import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useMemo } from "react";
import { usePalette } from "~/charts/palette";
import { Plot } from "~/charts/plot";
import { planeOf } from "~/explorer/axes";
import { counted } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import classes from "./compare.module.css";
import { looks, planeAxes, planeSeries, type Stroke, spanOfPlanes } from "./plane-option";
import type { Series } from "./series";

interface CompareChartProps {
  series: readonly Series[];
  strokes: readonly Stroke[];
  axes: { x: string; y: string; logX: boolean; logY: boolean };
  onlyFrontier: boolean;
}

/** The points and frontiers of all series on the same axes. */
export function CompareChart({ series, strokes, axes, onlyFrontier }: CompareChartProps) {
  const palette = usePalette();
  const isDark = useComputedColorScheme("light") === "dark";
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const size = useMemo(() => ({ width, height }), [width, height]);
  const { x, y, logX, logY } = axes;
  const planes = useMemo(
    () => series.map(({ points }) => planeOf(points, { x, y, logX, logY })),
    [series, x, y, logX, logY],
  );
  const span = useMemo(() => spanOfPlanes(planes), [planes]);
  const [first] = planes;
  const option = useMemo(
    () => (first ? planeAxes(first, span, size, palette) : {}),
    [first, span, size, palette],
  );
  const drawn = useMemo(
    () => planeSeries(planes, looks(strokes, isDark), onlyFrontier),
    [planes, strokes, isDark, onlyFrontier],
  );
  const names = series.map(
    ({ name, isPredicted, points }) =>
      `${name}, ${counted(points.size, isPredicted ? "predicted point" : "point")}`,
  );
  return (
    <div
      ref={ref}
      className={classes.chart}
      role="img"
      aria-label={`${quantity(y).title} against ${quantity(x).title}: ${names.join("; ")}`}
    >
      <Plot axes={option} series={drawn} size={size} />
    </div>
  );
}
