/** Points as lines across the axes, on a canvas: one element for each of thousands would be slow. */

import type { OperatingPoint } from "~/api/points";
import type { Palette } from "~/charts/palette";
import { type Brushes, isSelected } from "./brushes";
import type { Dimension } from "./dimensions";
import type { PointSet } from "./point-set";
import { groupAt, type Scene, shownIndices } from "./scene";

export interface Layout {
  width: number;
  height: number;
  /** Pixel of each axis, from the left. */
  axes: readonly number[];
  /** Pixels of both ends of every axis. */
  top: number;
  bottom: number;
}

/** Lines that are drawn at most: more than these hide each other. Those of the frontier always are. */
export const MOST_LINES = 1_200;

/** The lines to draw of those that are shown: all of the frontier, and of the others every n-th. */
export function drawnIndices(scene: Scene, most = MOST_LINES): number[] {
  const shown = shownIndices(scene);
  if (shown.length <= most) return shown;
  const stride = Math.ceil(shown.length / most);
  return shown.filter(
    (index, place) => place % stride === 0 || groupAt(scene, index) === "frontier",
  );
}

/** Points of a line; gaps (NaN) where a point has no value on an axis. */
export function lineOf(
  dimensions: readonly Dimension[],
  layout: Layout,
  index: number,
): Float64Array {
  const { axes, top, bottom } = layout;
  const line = new Float64Array(2 * dimensions.length);
  dimensions.forEach(({ positions }, place) => {
    line[2 * place] = axes[place] as number;
    line[2 * place + 1] = bottom - (positions[index] as number) * (bottom - top);
  });
  return line;
}

interface Look {
  color: string;
  alpha: number;
  width: number;
}

export interface Drawing {
  set: PointSet;
  scene: Scene;
  dimensions: readonly Dimension[];
  layout: Layout;
  palette: Palette;
  indices: readonly number[];
  pinned: readonly number[];
  brushes: Brushes;
}

/** Lines that are not selected, faint: they change only with the axes. */
export function drawBehind(context: CanvasRenderingContext2D, drawing: Drawing): void {
  clear(context, drawing.layout);
  strokeAll(context, drawing, drawing.indices, () => ({
    color: drawing.palette.outside,
    alpha: 0.16,
    width: 1,
  }));
}

/** Lines that are selected, those of the frontier and the pinned ones on top. */
export function drawSelected(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { set, scene, palette, indices, pinned, brushes } = drawing;
  clear(context, drawing.layout);
  const within = (index: number) => isSelected(set.points[index] as OperatingPoint, brushes);
  const selected = indices.filter(within);
  const alpha = Math.max(0.18, Math.min(0.6, 120 / indices.length));
  const looks: Partial<Record<string, Look>> = {
    outside: { color: palette.outside, alpha: 0.35, width: 1 },
    unsteady: { color: palette.outside, alpha: 0.35, width: 1 },
  };
  const ordinary = selected.filter((index) => groupAt(scene, index) !== "frontier");
  strokeAll(context, drawing, ordinary, (index) => {
    const color = palette[set.points[index]?.kind ?? "measured"];
    return looks[groupAt(scene, index)] ?? { color, alpha, width: 1 };
  });
  const best = selected.filter((index) => groupAt(scene, index) === "frontier");
  strokeAll(context, drawing, best, (index) => ({
    color: palette[set.points[index]?.kind ?? "measured"],
    alpha: 0.95,
    width: 1.75,
  }));
  strokeAll(context, drawing, pinned, () => ({ color: palette.ring, alpha: 1, width: 2.5 }));
}

function clear(context: CanvasRenderingContext2D, { width, height }: Layout): void {
  context.clearRect(0, 0, width, height);
}

function strokeAll(
  context: CanvasRenderingContext2D,
  { dimensions, layout }: Drawing,
  indices: readonly number[],
  look: (index: number) => Look,
): void {
  context.lineJoin = "round";
  for (const index of indices) {
    const { color, alpha, width } = look(index);
    context.strokeStyle = color;
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.beginPath();
    let isDown = false;
    const line = lineOf(dimensions, layout, index);
    for (let at = 0; at < line.length; at += 2) {
      const [x, y] = [line[at] as number, line[at + 1] as number];
      if (Number.isNaN(y)) {
        isDown = false;
        continue;
      }
      if (isDown) context.lineTo(x, y);
      else context.moveTo(x, y);
      isDown = true;
    }
    context.stroke();
  }
  context.globalAlpha = 1;
}
