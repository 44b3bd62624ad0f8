import { useElementSize, useMergedRef } from "@mantine/hooks";
import { memo, useCallback, useMemo, useRef, useState } from "react";
import { DrawnCanvas } from "~/charts/drawn-canvas";
import { usePalette } from "~/charts/palette";
import type { Pen } from "~/charts/pen";
import { withUnit } from "~/ui/quantities";
import classes from "./chart.module.css";
import { pointName } from "./describe-point";
import { drawChart } from "./draw-chart";
import { areaOf, type Spans, xPixel, yPixel } from "./frame";
import { HoverNote } from "./hover-note";
import { layersOf } from "./layers";
import { nearest, neighbour } from "./nearest";
import { againstInWords } from "./reference";
import { groupAt, type Scene, shownIndices } from "./scene";
import type { View } from "./search-params";
import { SloLines } from "./slo-lines";
import type { Exploration } from "./use-exploration";
import { usePanZoom, valuesOf, zoomedAtCentre } from "./use-pan-zoom";
import type { ValueAt } from "./value-at";

interface ChartProps {
  exploration: Exploration;
  colorByOrder: boolean;
  /** Indices of the pinned points. */
  pinned: readonly number[];
  /** The frontier read at a place of x, where the reader asked for one. */
  reading: { x: number; found: ValueAt } | null;
  onPick: (id: string) => void;
  onZoom: (zoom: View["zoom"]) => void;
  onLimit: (name: string, limit: number) => void;
}

const REACH_PX = 14;
const CLOSER = 0.8;

/** Points in the plane. What it holds is also in the table; keys reach every point of the frontier. */
export const Chart = memo(function Chart(props: ChartProps) {
  const { exploration, colorByOrder, pinned, reading, onPick, onZoom, onLimit } = props;
  const { set, scene, segments, limits, recommendation, varying, reference } = exploration;
  const { plane } = scene;
  const palette = usePalette();
  const { ref: sized, width, height } = useElementSize<HTMLDivElement>();
  const host = useRef<HTMLDivElement>(null);
  const merged = useMergedRef(sized, host);
  const [hovered, setHovered] = useState(-1);

  const size = useMemo(() => ({ width, height }), [width, height]);
  const area = useMemo(() => areaOf(size), [size]);
  const zoomTo = (spans: Spans) => onZoom(valuesOf(spans, plane));
  const { shown: spans, handlers } = usePanZoom({
    host,
    area,
    spans: exploration.spans,
    onSpans: zoomTo,
    onClick: (at) => pick(nearest(scene, spans, area, at, REACH_PX)),
    onHover: (at) => setHovered(at === null ? -1 : nearest(scene, spans, area, at, REACH_PX)),
  });

  const recommended = recommendation?.index ?? null;
  const layers = useMemo(() => {
    const shown = { set, scene, segments, colorByOrder, pinned, recommended };
    return layersOf({ ...shown, reference: reference?.indices ?? [] }, palette);
  }, [set, scene, segments, colorByOrder, pinned, recommended, reference, palette]);
  const draw = useCallback(
    (pen: Pen) => drawChart(pen, { plane, spans, size }, layers, palette),
    [plane, spans, size, layers, palette],
  );

  function pick(index: number) {
    const point = set.points[index];
    if (point) onPick(point.id);
  }

  function onKeyDown(event: React.KeyboardEvent) {
    if (event.target !== event.currentTarget) return;
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }
  const step = (by: 1 | -1) => () => setHovered((from) => neighbour(walk(scene), from, by));
  const zoomBy = (share: number) => () => zoomTo(zoomedAtCentre(spans, share));
  const pickHovered = () => pick(hovered);
  const leave = () => setHovered(-1);
  const showAll = () => onZoom(null);
  const keys: Record<string, () => void> = {
    ArrowRight: step(1),
    ArrowLeft: step(-1),
    Enter: pickHovered,
    " ": pickHovered,
    Escape: leave,
    "+": zoomBy(CLOSER),
    "=": zoomBy(CLOSER),
    "-": zoomBy(1 / CLOSER),
    "0": showAll,
  };

  const point = set.points[hovered];
  const isHovered = point !== undefined && groupAt(scene, hovered) !== "hidden";
  return (
    <div
      ref={merged}
      className={classes.chart}
      role="application"
      aria-label={`${plane.y.title} against ${plane.x.title}. Left and right go along the frontier, Enter pins a point, plus and minus zoom, 0 shows all.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the chart takes keys.
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDoubleClick={showAll}
      data-hovered={isHovered || undefined}
      {...handlers}
    >
      <DrawnCanvas size={size} draw={draw} />
      {width > 0 && (
        <SloLines plane={plane} spans={spans} area={area} limits={limits} onLimit={onLimit} />
      )}
      {reading && (
        <Reading
          x={xPixel(area, spans.x, reading.x)}
          y={yPixel(area, spans.y, reading.found.y)}
          area={area}
        />
      )}
      {isHovered && (
        <HoverNote
          point={point}
          plane={plane}
          varying={varying}
          limits={limits}
          against={reference && againstInWords(set, reference, point, [plane.x, plane.y])}
          left={xPixel(area, spans.x, plane.xs[hovered] as number)}
          top={yPixel(area, spans.y, plane.ys[hovered] as number)}
          size={size}
        />
      )}
      <div className={classes.spoken} aria-live="polite">
        {isHovered &&
          `${pointName(point)}: ${[plane.x, plane.y]
            .map((axis) => `${axis.title} ${withUnit(axis, point.figures[axis.key]?.value)}`)
            .join(", ")}`}
      </div>
    </div>
  );
});

/** Where the frontier is read: a line down to the axis, and a mark that is not one of a point. */
function Reading({ x, y, area }: { x: number; y: number; area: ReturnType<typeof areaOf> }) {
  if (x < area.left || x > area.left + area.width) return null;
  const isMarked = y >= area.top && y <= area.top + area.height;
  return (
    <>
      <span className={classes.reading} style={{ left: x, top: area.top, height: area.height }} />
      {isMarked && <span className={classes.readingMark} style={{ left: x, top: y }} />}
    </>
  );
}

/** Points that keys go along: those on a frontier, or all where none is shown. */
function walk(scene: Scene): number[] {
  const shown = shownIndices(scene);
  const onFrontier = shown.filter((index) => groupAt(scene, index) === "frontier");
  const { xs } = scene.plane;
  return (onFrontier.length > 0 ? onFrontier : shown).sort(
    (a, b) => (xs[a] as number) - (xs[b] as number),
  );
}
