/** How each point is shown: where it lies, which frontier it is on, and what sets it apart. */

import type { Plane } from "./axes";
import { frontier } from "./frontier";
import { flat, intervalsOf, type Segment } from "./intervals";
import type { PointSet } from "./point-set";
import type { View } from "./search-params";

/** What sets a point apart, in the order in which they are drawn: later ones lie on top. */
export const GROUPS = [
  "hidden",
  "unselected",
  "outside",
  "unsteady",
  "dimmed",
  "plain",
  "frontier",
] as const;
export type Group = (typeof GROUPS)[number];
const CODE = Object.fromEntries(GROUPS.map((group, code) => [group, code])) as Record<
  Group,
  number
>;

export interface Frontiers {
  measured: number[];
  predicted: number[];
}

export interface Scene {
  plane: Plane;
  frontiers: Frontiers;
  /** Group of each point, as its place among `GROUPS`. */
  groups: Uint8Array;
  /** Points that are asked for, and have no place on these axes. */
  missing: number;
}

export type Shown = Pick<View, "kind" | "frontierOnly" | "dimDominated" | "greyOutside">;

/** Frontiers of what was measured and of what was predicted: the two are never mixed. */
export function frontiersOf(set: PointSet, plane: Plane): Frontiers {
  const better = { x: plane.x.better, y: plane.y.better };
  const { isMeasured, isSteady } = set;
  const of = (kind: 0 | 1) =>
    frontier(
      plane.xs,
      plane.ys,
      better,
      (index) => isMeasured[index] === kind && !!isSteady[index],
    );
  return { measured: of(1), predicted: of(0) };
}

/**
 * @param meeting of each point, 1 where it meets the limits.
 * @param selected of each point, 1 where it lies inside all brushes; null where nothing is brushed.
 */
export function sceneOf(
  set: PointSet,
  plane: Plane,
  frontiers: Frontiers,
  shown: Shown,
  meeting: Uint8Array,
  selected: Uint8Array | null,
): Scene {
  const groups = new Uint8Array(set.size);
  const isOnFrontier = new Uint8Array(set.size);
  for (const index of frontiers.measured) isOnFrontier[index] = 1;
  for (const index of frontiers.predicted) isOnFrontier[index] = 1;
  const { xs, ys } = plane;
  const wanted = shown.kind === "both" ? null : Number(shown.kind === "measured");
  let missing = 0;

  for (let index = 0; index < set.size; index++) {
    if (wanted !== null && set.isMeasured[index] !== wanted) continue;
    if (Number.isNaN(xs[index]) || Number.isNaN(ys[index])) missing += 1;
    else if (!shown.frontierOnly || isOnFrontier[index]) groups[index] = CODE[groupOf(index)];
  }

  function groupOf(index: number): Group {
    if (selected !== null && !selected[index]) return "unselected";
    if (shown.greyOutside && !meeting[index]) return "outside";
    if (!set.isSteady[index]) return "unsteady";
    if (isOnFrontier[index]) return "frontier";
    return shown.dimDominated ? "dimmed" : "plain";
  }

  return { plane, frontiers, groups, missing };
}

export const isShown = (scene: Scene, index: number): boolean =>
  scene.groups[index] !== CODE.hidden;

export const groupAt = (scene: Scene, index: number): Group =>
  GROUPS[scene.groups[index] ?? 0] as Group;

/** Indices of the points that are shown, in the order of the set. */
export function shownIndices(scene: Scene): number[] {
  const found: number[] = [];
  for (let index = 0; index < scene.groups.length; index++) {
    if (isShown(scene, index)) found.push(index);
  }
  return found;
}

/** Indices of the points that are shown and selected. */
export const listedIndices = (scene: Scene): number[] =>
  shownIndices(scene).filter((index) => scene.groups[index] !== CODE.unselected);

const MOST_PAIRS = 60;

export interface Segments {
  /** From each prediction to its measurement: x, y, x, y, and NaN twice between two lines. */
  links: Float64Array;
  /** Intervals of both, along x and along y. */
  intervals: Float64Array;
  /** Whether only those on a frontier are drawn, because there are too many to tell apart. */
  isThinned: boolean;
}

/** Lines that join predicted and measured points, and the intervals of both. */
export function segmentsOf(set: PointSet, scene: Scene): Segments {
  const { groups } = scene;
  const { xs, ys } = scene.plane;
  const isListed = (index: number) => (groups[index] as number) > CODE.unselected;
  const isOnFrontier = (index: number) => groups[index] === CODE.frontier;
  const isPaired = (index: number) => {
    const other = set.counterpartOf(index);
    return other >= 0 && isShown(scene, other);
  };
  let paired = 0;
  for (let index = 0; index < groups.length; index++) {
    if (isListed(index) && isPaired(index)) paired += 1;
  }
  const isThinned = paired > 2 * MOST_PAIRS;
  const links: Segment[] = [];
  const intervals: Segment[] = [];
  for (let index = 0; index < groups.length; index++) {
    if (!isListed(index)) continue;
    const other = set.counterpartOf(index);
    const isBest = isOnFrontier(index);
    const isTold = !isThinned || isBest || (other >= 0 && isOnFrontier(other));
    const isJoined = isTold && isPaired(index);
    if (isJoined && set.isMeasured[index]) {
      const ends = [xs[other], ys[other], xs[index], ys[index]];
      links.push(ends as Segment);
    }
    if (isJoined || isBest) intervals.push(...intervalsOf(set.points[index], scene.plane, index));
  }
  return { links: flat(links), intervals: flat(intervals), isThinned };
}
