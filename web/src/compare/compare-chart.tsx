import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type PointerEvent, useMemo, useState } from "react";
import { usePalette } from "~/charts/palette";
import { Plot } from "~/charts/plot";
import { areaOf, xPixel, yPixel } from "~/explorer/frame";
import { counted } from "~/ui/format";
import classes from "./compare.module.css";
import { DotNote } from "./dot-note";
import { type DotPlace, type Dots, nearestDot, varyingSettings } from "./dots";
import { looks, planeAxes, planeSeries, type Stroke, spanOfPlanes } from "./plane-option";
import type { Series } from "./series";

const REACH_PX = 14;

interface CompareChartProps {
  series: readonly Series[];
  dots: readonly Dots[];
  strokes: readonly Stroke[];
}

/** The points and frontiers of all series on the same axes. */
export function CompareChart({ series, dots, strokes }: CompareChartProps) {
  const palette = usePalette();
  const isDark = useComputedColorScheme("light") === "dark";
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const size = useMemo(() => ({ width, height }), [width, height]);
  const span = useMemo(() => spanOfPlanes(dots.map(({ plane }) => plane)), [dots]);
  const varying = useMemo(() => varyingSettings(series), [series]);
  const [pointed, setPointed] = useState<DotPlace | null>(null);
  const first = dots[0]?.plane;
  const option = useMemo(
    () => (first ? planeAxes(first, span, size, palette) : {}),
    [first, span, size, palette],
  );
  const drawn = useMemo(() => planeSeries(dots, looks(strokes, isDark)), [dots, strokes, isDark]);
  const names = series.map(
    ({ name, isPredicted, points }) =>
      `${name}, ${counted(points.size, isPredicted ? "predicted point" : "point")}`,
  );
  const area = areaOf(size);
  const point = (event: PointerEvent<HTMLDivElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const at = { x: event.clientX - left, y: event.clientY - top };
    setPointed(nearestDot(dots, span, area, at, REACH_PX));
  };
  // Series may have gone since.
  const one = pointed && series[pointed.series];
  const plane = pointed && dots[pointed.series]?.plane;
  const dot = pointed && one?.points.points[pointed.index];
  return (
    <div
      ref={ref}
      className={classes.chart}
      role="img"
      aria-label={`${first?.y.title} against ${first?.x.title}: ${names.join("; ")}`}
      onPointerMove={point}
      onPointerLeave={() => setPointed(null)}
    >
      <Plot axes={option} series={drawn} size={size} />
      {one && plane && dot && (
        <DotNote
          name={one.name}
          point={dot}
          plane={plane}
          varying={varying}
          left={xPixel(area, span.x, plane.xs[pointed.index] as number)}
          top={yPixel(area, span.y, plane.ys[pointed.index] as number)}
          size={size}
        />
      )}
    </div>
  );
}
