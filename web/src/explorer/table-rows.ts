/** The order of points in the table. */

import type { OperatingPoint } from "~/api/points";
import { valueAlong } from "./brushes";
import type { PointSet } from "./point-set";

/** Sorted by a figure, a setting or the load; with "-" before its name from the highest down. */
export function sortedIndices(
  set: PointSet,
  indices: readonly number[],
  sort: string | null,
): readonly number[] {
  if (sort === null) return indices;
  const isDown = sort.startsWith("-");
  const name = isDown ? sort.slice(1) : sort;
  const values = new Map(
    indices.map((index) => [index, valueAlong(set.points[index] as OperatingPoint, name)]),
  );
  return indices.toSorted((a, b) => {
    const [left, right] = [values.get(a) ?? null, values.get(b) ?? null];
    // What has no value comes last either way.
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return isDown ? compare(right, left) : compare(left, right);
  });
}

function compare(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), "en", { numeric: true });
}

/** What a click on a column's head asks for: best first, then the reverse, then the usual order. */
export function nextSort(
  sort: string | null,
  name: string,
  isHigherBetter: boolean,
): string | null {
  const [first, second] = isHigherBetter ? [`-${name}`, name] : [name, `-${name}`];
  if (sort === first) return second;
  return sort === second ? null : first;
}
