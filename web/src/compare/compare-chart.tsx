import { useElementSize } from "@mantine/hooks";
import { type PointerEvent, useCallback, useMemo, useState } from "react";
import { DrawnCanvas } from "~/charts/drawn-canvas";
import { usePalette } from "~/charts/palette";
import type { Pen } from "~/charts/pen";
import { drawChart } from "~/explorer/draw-chart";
import { areaOf, type Spans, xPixel, yPixel } from "~/explorer/frame";
import type { Layers } from "~/explorer/layers";
import type { Limits } from "~/explorer/slo";
import { SloLines } from "~/explorer/slo-lines";
import { counted } from "~/ui/format";
import classes from "./compare.module.css";
import { DotNote } from "./dot-note";
import { type DotPlace, type Dots, nearestDot } from "./dots";
import type { Series } from "./series";

const REACH_PX = 14;

interface CompareChartProps {
  series: readonly Series[];
  dots: readonly Dots[];
  spans: Spans;
  layers: Layers;
  /** Settings in which points differ. */
  varying: readonly string[];
  limits: Limits;
  onLimit: (name: string, limit: number) => void;
}

/** The points and frontiers of all series on the same axes, and the limits that lie on these. */
export function CompareChart(props: CompareChartProps) {
  const { series, dots, spans, layers, varying, limits, onLimit } = props;
  const palette = usePalette();
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const size = useMemo(() => ({ width, height }), [width, height]);
  const [pointed, setPointed] = useState<DotPlace | null>(null);
  const first = dots[0]?.plane;
  const draw = useCallback(
    (pen: Pen) => {
      if (first) drawChart(pen, { plane: first, spans, size }, layers, palette);
    },
    [first, spans, size, layers, palette],
  );
  const names = series.map(
    ({ name, isPredicted, points }) =>
      `${name}, ${counted(points.size, isPredicted ? "predicted point" : "point")}`,
  );
  const area = areaOf(size);
  const point = (event: PointerEvent<HTMLDivElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const at = { x: event.clientX - left, y: event.clientY - top };
    setPointed(nearestDot(dots, spans, area, at, REACH_PX));
  };
  // Series may have gone since.
  const one = pointed && series[pointed.series];
  const plane = pointed && dots[pointed.series]?.plane;
  const dot = pointed && one?.points.points[pointed.index];
  return (
    <div
      ref={ref}
      className={classes.chart}
      onPointerMove={point}
      onPointerLeave={() => setPointed(null)}
    >
      <div
        className={classes.picture}
        role="img"
        aria-label={`${first?.y.title} against ${first?.x.title}: ${names.join("; ")}`}
      >
        <DrawnCanvas size={size} draw={draw} />
      </div>
      {width > 0 && first && (
        <SloLines plane={first} spans={spans} area={area} limits={limits} onLimit={onLimit} />
      )}
      {one && plane && dot && (
        <DotNote
          name={one.name}
          point={dot}
          plane={plane}
          varying={varying}
          left={xPixel(area, spans.x, plane.xs[pointed.index] as number)}
          top={yPixel(area, spans.y, plane.ys[pointed.index] as number)}
          size={size}
        />
      )}
    </div>
  );
}
