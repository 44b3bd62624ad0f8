import { Button, Group, Text, Title } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { memo, useEffect, useMemo, useRef } from "react";
import { usePalette } from "~/charts/palette";
import { afterPaint } from "~/ui/after-paint";
import { count } from "~/ui/format";
import { type Brush, type Brushes, LOAD, withBrush } from "./brushes";
import { brushOf, type Dimension, dimensionsOf, type Extent } from "./dimensions";
import classes from "./parallel.module.css";
import { ParallelAxis } from "./parallel-axis";
import {
  type Drawing,
  drawBehind,
  drawnIndices,
  drawSelected,
  type Layout,
} from "./parallel-lines";
import type { PointSet } from "./point-set";
import { listedIndices, type Scene, shownIndices } from "./scene";
import type { Exploration } from "./use-exploration";

interface ParallelProps {
  exploration: Exploration;
  objectives: readonly string[];
  brushes: Brushes;
  pinned: readonly number[];
  onBrushes: (brushes: Brushes) => void;
}

const HEIGHT = 300;
const TOP = 44;
const BOTTOM = HEIGHT - 14;
const NARROWEST = 100;

/** Varying settings beside objectives; a range that is marked on any axis selects points everywhere. */
export const Parallel = memo(function Parallel(props: ParallelProps) {
  const { exploration, objectives, brushes, pinned, onBrushes } = props;
  const { set, scene, varying, limits } = exploration;
  const { x, y } = scene.plane;
  // Which latencies are limited counts here, and not where their limits lie.
  const limited = Object.keys(limits).join();
  const dimensions = useMemo(() => {
    const figures = new Set([...objectives, y.key, x.key, ...limited.split(",").filter(Boolean)]);
    return dimensionsOf(set, [...varying, LOAD, ...figures]);
  }, [set, varying, objectives, x.key, y.key, limited]);
  const { ref, width: available } = useElementSize<HTMLDivElement>();
  const layout = useMemo(
    () => layoutOf(dimensions.length, available),
    [dimensions.length, available],
  );
  if (dimensions.length < 2) return null;

  const shown = shownIndices(scene).length;
  const selected = listedIndices(scene).length;
  const isBrushed = Object.keys(brushes).length > 0;
  const change = (name: string, brush: Brush | null) => onBrushes(withBrush(brushes, name, brush));
  return (
    <section className={`card ${classes.card}`} aria-label="Settings and objectives">
      <Group justify="space-between" gap="xs">
        <Title order={2} fz="md">
          Settings and objectives
        </Title>
        <Group gap="sm">
          <Text size="xs" className="quiet" aria-live="polite">
            {isBrushed
              ? `${count(selected)} of ${count(shown)} points selected`
              : "Drag along an axis to select a range; better is up"}
          </Text>
          {isBrushed && (
            <Button size="compact-xs" variant="default" onClick={() => onBrushes({})}>
              Clear selection
            </Button>
          )}
        </Group>
      </Group>
      <div ref={ref} className={classes.scroller}>
        <div className={classes.plot} style={{ width: layout.width, height: HEIGHT }}>
          <Lines
            set={set}
            scene={scene}
            dimensions={dimensions}
            layout={layout}
            pinned={pinned}
            brushes={brushes}
          />
          {dimensions.map((dimension, place) => (
            <ParallelAxis
              key={dimension.name}
              dimension={dimension}
              brush={brushes[dimension.name]}
              left={layout.axes[place] as number}
              top={TOP}
              bottom={BOTTOM}
              onExtent={(extent: Extent) => change(dimension.name, brushOf(dimension, extent))}
            />
          ))}
        </div>
      </div>
    </section>
  );
});

function layoutOf(axes: number, available: number): Layout {
  const width = Math.max(available, NARROWEST * axes);
  const each = width / Math.max(1, axes);
  return {
    width,
    height: HEIGHT,
    axes: Array.from({ length: axes }, (_, index) => Math.round((index + 0.32) * each)),
    top: TOP,
    bottom: BOTTOM,
  };
}

interface LinesProps {
  set: PointSet;
  scene: Scene;
  dimensions: readonly Dimension[];
  layout: Layout;
  pinned: readonly number[];
  brushes: Brushes;
}

const Lines = memo(function Lines({ set, scene, dimensions, layout, pinned, brushes }: LinesProps) {
  const palette = usePalette();
  const behind = useRef<HTMLCanvasElement>(null);
  const front = useRef<HTMLCanvasElement>(null);
  const indices = useMemo(() => drawnIndices(scene), [scene]);
  const drawnBehind = useRef<Drawing | null>(null);
  /** What is drawn next; moves that come before it replace it. */
  const waiting = useRef<Drawing | null>(null);

  useEffect(() => {
    const isAwaited = waiting.current !== null;
    waiting.current = { set, scene, dimensions, layout, palette, indices, pinned, brushes };
    if (!isAwaited) afterPaint(draw);
  });

  function draw() {
    const drawing = waiting.current as Drawing;
    waiting.current = null;
    // Behind lies what is shown, whether it is selected or not: brushing leaves it as it is.
    if (!looksAlikeBehind(drawnBehind.current, drawing)) {
      withContext(behind.current, drawing.layout, (context) => drawBehind(context, drawing));
      drawnBehind.current = drawing;
    }
    withContext(front.current, drawing.layout, (context) => drawSelected(context, drawing));
  }

  return (
    <>
      <canvas ref={behind} className={classes.canvas} aria-hidden />
      <canvas ref={front} className={classes.canvas} aria-hidden />
    </>
  );
});

function looksAlikeBehind(before: Drawing | null, after: Drawing): boolean {
  if (before === null) return false;
  const isSame = (key: "dimensions" | "layout" | "palette") => before[key] === after[key];
  if (!isSame("dimensions") || !isSame("layout") || !isSame("palette")) return false;
  const { indices } = after;
  return (
    before.indices.length === indices.length &&
    before.indices.every((index, place) => index === indices[place])
  );
}

function withContext(
  canvas: HTMLCanvasElement | null,
  { width, height }: Layout,
  draw: (context: CanvasRenderingContext2D) => void,
): void {
  const context = canvas?.getContext("2d");
  if (!canvas || !context) return;
  const ratio = window.devicePixelRatio || 1;
  const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
  if (canvas.width !== size.width || canvas.height !== size.height) {
    canvas.width = size.width;
    canvas.height = size.height;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw(context);
}
