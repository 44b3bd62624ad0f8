/** The baseline as the reference that points are seen against, load level by load level. */

import type { OperatingPoint } from "~/api/points";
import type { Baseline } from "~/api/results";
import { change } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import type { PointSet } from "./point-set";

export interface Reference {
  /** Name for readers: "the engine's defaults". */
  name: string;
  /** Indices of its measured points, the lowest load first. */
  indices: readonly number[];
}

/** The steady measured points of the baseline; null where there are none. */
export function referenceOf(
  set: PointSet,
  baseline: Pick<Baseline, "name" | "candidate" | "index"> | null,
): Reference | null {
  if (baseline === null) return null;
  const byLoad = new Map<string, number>();
  set.points.forEach((point, index) => {
    if (point.kind !== "measured" || !point.is_steady) return;
    if (point.candidate !== baseline.candidate) return;
    // Where the same configuration was launched again, the launch of the baseline itself counts.
    const key = loadKey(point);
    if (!byLoad.has(key) || point.experiment_index === baseline.index) byLoad.set(key, index);
  });
  const load = (index: number) => set.points[index]?.load.value ?? 0;
  const indices = [...byLoad.values()].sort((a, b) => load(a) - load(b));
  return indices.length === 0 ? null : { name: baseline.name, indices };
}

const loadKey = ({ load }: OperatingPoint): string => `${load.kind} ${load.value}`;

/**
 * A measured point's figure against that of the reference at the same load, as a share; null where
 * one of the two is not known.
 */
export function changeFrom(
  set: PointSet,
  reference: Reference,
  point: OperatingPoint,
  name: string,
): number | null {
  if (point.kind !== "measured") return null;
  const same = reference.indices.find((index) => {
    const other = set.points[index];
    return other !== undefined && loadKey(other) === loadKey(point);
  });
  const before = same === undefined ? null : set.points[same]?.figures[name]?.value;
  const value = point.figures[name]?.value;
  return value && before ? value / before - 1 : null;
}

/** The same in words, "+45 %"; of the reference's own points their figures, which the rest is of. */
export function changeInWords(
  set: PointSet,
  reference: Reference,
  point: OperatingPoint,
  { key, format }: Quantity,
): string {
  return isOfReference(set, reference, point)
    ? format(point.figures[key]?.value)
    : change(changeFrom(set, reference, point, key));
}

const isOfReference = (set: PointSet, { indices }: Reference, { id }: OperatingPoint): boolean =>
  indices.some((index) => set.points[index]?.id === id);

/** How a point stands to the reference in some figures; null where it is not compared. */
export function againstInWords(
  set: PointSet,
  reference: Reference,
  point: OperatingPoint,
  figures: readonly Quantity[],
): string | null {
  const known = figures.flatMap(({ key, short }) => {
    const share = changeFrom(set, reference, point, key);
    return share === null ? [] : [`${change(share)} ${short}`];
  });
  if (known.length === 0) return null;
  if (isOfReference(set, reference, point)) return "the baseline";
  return `${known.join(", ")} against ${reference.name}`;
}
