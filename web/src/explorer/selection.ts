/** Which points are pinned, and how two of them differ. */

import type { OperatingPoint } from "~/api/points";
import { QUANTITIES, type Quantity } from "~/ui/quantities";
import { LOAD, valueAlong } from "./brushes";

export interface Selection {
  pinned: string | null;
  compared: string | null;
}

/** A first click pins a point, the next one compares with it; a click on either lets go of it. */
export function picked({ pinned, compared }: Selection, id: string): Selection {
  if (id === pinned) return { pinned: compared, compared: null };
  if (id === compared) return { pinned, compared: null };
  return pinned === null ? { pinned: id, compared: null } : { pinned, compared: id };
}

export const swapped = ({ pinned, compared }: Selection): Selection =>
  compared === null ? { pinned, compared } : { pinned: compared, compared: pinned };

/** Settings that are not the same for all points, in the order of their names. */
export function varyingSettings(points: readonly OperatingPoint[]): string[] {
  const first = new Map<string, string>();
  const varying = new Set<string>();
  let seen = 0;
  // All points of a candidate have the same settings.
  const looked = new Set<string>();
  for (const { settings, candidate } of points) {
    if (looked.has(candidate)) continue;
    looked.add(candidate);
    seen += 1;
    for (const [name, value] of Object.entries(settings)) {
      const text = JSON.stringify(value);
      const known = first.get(name);
      if (known === undefined) {
        first.set(name, text);
        // The candidates before did not set it.
        if (seen > 1) varying.add(name);
      } else if (known !== text) varying.add(name);
    }
    for (const name of first.keys()) if (!(name in settings)) varying.add(name);
  }
  return [...varying].sort();
}

export interface SettingRow {
  name: string;
  values: readonly unknown[];
}

/** Settings of the pinned points: those that tell them apart first, then the others. */
export function settingRows(
  points: readonly OperatingPoint[],
  varying: readonly string[],
): { differing: SettingRow[]; same: SettingRow[] } {
  const names = new Set(points.flatMap(({ settings }) => Object.keys(settings)));
  for (const name of varying) names.add(name);
  const rows = [LOAD, ...[...names].sort()].map((name) => ({
    name,
    values: points.map((point) => valueAlong(point, name)),
  }));
  const isTelling = ({ name, values }: SettingRow) =>
    points.length > 1
      ? new Set(values.map((value) => JSON.stringify(value))).size > 1
      : name === LOAD || varying.includes(name);
  return { differing: rows.filter(isTelling), same: rows.filter((row) => !isTelling(row)) };
}

export interface FigureRow {
  quantity: Quantity;
  values: readonly (number | null)[];
  /** Share by which the second is above the first; null where there are not two. */
  change: number | null;
  /** Whether the second is better; null where they are the same, or there are not two. */
  isBetter: boolean | null;
}

/** Figures that any of the points has. */
export function figureRows(points: readonly OperatingPoint[]): FigureRow[] {
  return QUANTITIES.flatMap((quantity) => {
    const values = points.map((point) => point.figures[quantity.key]?.value ?? null);
    if (values.every((value) => value === null)) return [];
    const [first = null, second = null] = values;
    const change = first && second !== null ? second / first - 1 : null;
    const isBetter = !change ? null : change > 0 === (quantity.better === "higher");
    return [{ quantity, values, change, isBetter }];
  });
}
