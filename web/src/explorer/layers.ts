/** What stands in the plane, ready to be drawn wherever the reader looks. */

import type { OperatingPoint } from "~/api/points";
import type { Palette } from "~/charts/palette";
import type { LineStyle, MarkStyle, Shape } from "~/charts/pen";
import { toPlace } from "~/charts/scale";
import { axisLimit } from "./axes";
import type { Frame } from "./frame";
import type { PointSet } from "./point-set";
import { GROUPS, type Group, type Scene, type Segments } from "./scene";
import type { Limits } from "./slo";

/** What is shown of a scene. */
export interface Shown {
  set: PointSet;
  scene: Scene;
  /** Lines between pairs, and intervals; null where they are not wanted. */
  segments: Segments | null;
  colorByOrder: boolean;
  /** Indices of the pinned points, and of the recommended one. */
  pinned: readonly number[];
  recommended: number | null;
  /** Indices of the points of the baseline, in the order of their load. */
  reference: readonly number[];
}

/** Marks of one look; places are x and y in turns. */
export interface Marks extends MarkStyle {
  group: Group;
  places: Float64Array;
}

export interface Line extends LineStyle {
  places: Float64Array;
}

export interface Letter {
  text: string;
  places: Float64Array;
}

/** From what lies lowest to what lies on top. */
export interface Layers {
  segments: readonly Line[];
  points: readonly Marks[];
  frontiers: readonly Line[];
  /** The points of the frontiers. */
  best: readonly Marks[];
  rings: readonly Marks[];
  letters: readonly Letter[];
}

type Kind = OperatingPoint["kind"];

/** From this many on, points are small squares: drawn fastest, and still told apart. */
const DENSE = 2_500;
const ORDER_COLORS = 7;

export function layersOf(shown: Shown, palette: Palette): Layers {
  const points = pointMarks(shown, palette);
  return {
    segments: segmentLines(shown, palette),
    points: points.filter(({ group }) => group !== "frontier"),
    frontiers: [...frontierLines(shown, palette), ...referenceLines(shown, palette)],
    best: points.filter(({ group }) => group === "frontier"),
    rings: rings(shown, palette),
    letters: shown.pinned.flatMap((index, order) => {
      const places = placesOf(shown.scene, [index]);
      return places.length > 0 ? [{ text: "AB"[order] ?? "", places }] : [];
    }),
  };
}

/** Limits as lines, for a chart that leaves the page: there they are not elements to drag. */
export function limitLines(limits: Limits, { plane, spans }: Frame, palette: Palette): Line[] {
  return (["x", "y"] as const).flatMap((side) => {
    const limit = axisLimit(plane[side]);
    const value = limit && limits[limit.name];
    if (!limit || !value) return [];
    const place = toPlace(limit.toAxis(value), side === "x" ? plane.logX : plane.logY);
    const { low, high } = side === "x" ? spans.y : spans.x;
    const ends = side === "x" ? [place, low, place, high] : [low, place, high, place];
    const places = Float64Array.from(ends);
    return [{ places, color: palette.limit, width: 1.5, dash: [5, 5] }];
  });
}

function segmentLines({ segments }: Shown, { quiet: color }: Palette): Line[] {
  if (segments === null) return [];
  const lines = [
    { places: segments.intervals, color, width: 1, opacity: 0.55 },
    { places: segments.links, color, width: 1.25, dash: [3, 3] },
  ];
  return lines.filter(({ places }) => places.length > 0);
}

function frontierLines({ scene }: Shown, palette: Palette): Line[] {
  return (["predicted", "measured"] as const).flatMap((kind) => {
    const indices = scene.frontiers[kind].filter((index) => scene.groups[index] !== 0);
    if (indices.length < 2) return [];
    const isMeasured = kind === "measured";
    return [
      {
        places: placesOf(scene, indices),
        color: palette[kind],
        width: isMeasured ? 2 : 1.5,
        dash: isMeasured ? [] : [6, 4],
      },
    ];
  });
}

/** From load to load of the baseline. */
function referenceLines({ scene, reference }: Shown, { ring: color }: Palette): Line[] {
  const places = placesOf(scene, reference);
  return places.length < 4 ? [] : [{ places, color, width: 1.5, dash: [2, 4] }];
}

function rings(
  { scene, pinned, recommended, reference }: Shown,
  { ring: color }: Palette,
): Marks[] {
  const around = (shape: Shape, size: number, indices: readonly number[]): Marks => ({
    ...{ shape, size, color, opacity: 1, outline: 2 },
    group: "plain",
    places: placesOf(scene, indices),
  });
  const found = [
    around("star", 24, recommended === null ? [] : [recommended]),
    around("circle", 17, pinned),
    around("square", 14, reference),
  ];
  return found.filter(({ places }) => places.length > 0);
}

function placesOf(scene: Scene, indices: readonly number[]): Float64Array {
  const { xs, ys } = scene.plane;
  const places = indices.map((index) => [xs[index] as number, ys[index] as number]);
  return Float64Array.from(places.filter(([x, y]) => !Number.isNaN(x) && !Number.isNaN(y)).flat());
}

function pointMarks({ set, scene, colorByOrder }: Shown, palette: Palette): Marks[] {
  const { groups } = scene;
  const { xs, ys } = scene.plane;
  const { isMeasured } = set;
  const bins = colorByOrder ? orderBins(set) : null;
  // A number for each look: there are thousands of points in each frame of a drag.
  const looks = new Int16Array(groups.length).fill(-1);
  const counts = new Int32Array(2 * (ORDER_COLORS + 1) * GROUPS.length);
  let total = 0;
  for (let index = 0; index < groups.length; index++) {
    const code = groups[index] as number;
    if (code === 0) continue;
    const bin = bins === null ? -1 : (bins[index] as number);
    const look = 2 * ((ORDER_COLORS + 1) * code + bin + 1) + (isMeasured[index] as number);
    looks[index] = look;
    counts[look] = (counts[look] as number) + 1;
    total += 1;
  }
  const all: (Marks | undefined)[] = Array.from(counts, (count, look) => {
    if (count === 0) return undefined;
    const kind: Kind = look % 2 === 1 ? "measured" : "predicted";
    const bin = (Math.floor(look / 2) % (ORDER_COLORS + 1)) - 1;
    const group = GROUPS[Math.floor(look / (2 * (ORDER_COLORS + 1)))] as Group;
    const style = styleOf(group, kind, bin, total > DENSE, palette);
    return { ...style, group, places: new Float64Array(2 * count) };
  });
  const filled = new Int32Array(counts.length);
  for (let index = 0; index < groups.length; index++) {
    const look = looks[index] as number;
    if (look < 0) continue;
    const { places } = all[look] as Marks;
    const at = filled[look] as number;
    places[at] = xs[index] as number;
    places[at + 1] = ys[index] as number;
    filled[look] = at + 2;
  }
  return all.filter((marks) => marks !== undefined);
}

/** Marks differ in shape as well as in colour: measured ones are round, predicted ones are not. */
function styleOf(
  group: Group,
  kind: Kind,
  bin: number,
  isDense: boolean,
  palette: Palette,
): MarkStyle {
  const isMeasured = kind === "measured";
  const color = bin >= 0 && isMeasured ? (palette.order[bin] as string) : palette[kind];
  const mark: Shape = isMeasured ? "circle" : "diamond";
  const shape = isDense ? "square" : mark;
  const size = isDense ? 3 : isMeasured ? 7 : 8;
  const { outside } = palette;
  switch (group) {
    case "frontier":
      return { shape: mark, size: isMeasured ? 10 : 11, color, opacity: 1 };
    case "plain":
      return { shape, size, color, opacity: 1 };
    case "dimmed":
      return { shape, size, color, opacity: bin >= 0 ? 0.75 : 0.38 };
    case "unsteady":
      return { shape: isDense ? shape : "cross", size, color: outside, opacity: 1 };
    case "outside":
      return { shape, size, color: outside, opacity: 0.8 };
    default:
      return { shape, size: isDense ? 2 : 4, color: outside, opacity: 0.3 };
  }
}

/** Of each measured point, the part of the search in which it was launched; -1 for the others. */
function orderBins(set: PointSet): Int8Array {
  const last = set.points.reduce((most, point) => Math.max(most, point.experiment_index ?? 0), 1);
  return Int8Array.from(set.points, ({ kind, experiment_index: index }) =>
    kind === "measured" && index !== null
      ? Math.min(ORDER_COLORS - 1, Math.floor(((index - 1) / last) * ORDER_COLORS))
      : -1,
  );
}
