/** Ranges that the reader marked: only points inside all of them are selected. */

import type { OperatingPoint } from "~/api/points";
import { setting } from "~/ui/format";

/** A range of numbers, open where an end is null, or the values of a setting that are selected. */
export type Brush = { low: number | null; high: number | null } | { values: readonly string[] };

/** Figure or field -> what is selected of it. */
export type Brushes = Readonly<Record<string, Brush>>;

export const isRange = (brush: Brush): brush is { low: number | null; high: number | null } =>
  "low" in brush;

/** Name under which the load level stands beside settings and figures. */
export const LOAD = "load";

/** Value of a point along a figure, a setting or its load; null where it has none. */
export function valueAlong(point: OperatingPoint, name: string): unknown {
  if (name === LOAD) return point.load.value;
  if (name.includes(".")) return point.settings[name] ?? null;
  return point.figures[name]?.value ?? null;
}

export function isSelected(point: OperatingPoint, brushes: Brushes): boolean {
  return Object.entries(brushes).every(([name, brush]) => isInside(valueAlong(point, name), brush));
}

function isInside(value: unknown, brush: Brush): boolean {
  if (!isRange(brush)) return brush.values.includes(setting(value));
  if (typeof value !== "number") return false;
  return (brush.low === null || value >= brush.low) && (brush.high === null || value <= brush.high);
}

/** Of each point, 1 where it is selected; null where nothing is brushed. */
export function selectedMask(
  points: readonly OperatingPoint[],
  brushes: Brushes,
): Uint8Array | null {
  const entries = Object.entries(brushes);
  if (entries.length === 0) return null;
  const mask = new Uint8Array(points.length).fill(1);
  for (const [name, brush] of entries) {
    points.forEach((point, index) => {
      if (mask[index] && !isInside(valueAlong(point, name), brush)) mask[index] = 0;
    });
  }
  return mask;
}

export function withBrush(brushes: Brushes, name: string, brush: Brush | null): Brushes {
  const { [name]: _, ...others } = brushes;
  return brush === null ? others : { ...others, [name]: brush };
}

/** `ttft_ms:10..200;parallel.tensor_parallel:=1|2`, each part encoded for an address. */
export function writeBrushes(brushes: Brushes): string {
  const end = (value: number | null) =>
    value === null ? "" : String(Number(value.toPrecision(6)));
  return Object.entries(brushes)
    .map(([name, brush]) => {
      const text = isRange(brush)
        ? `${end(brush.low)}..${end(brush.high)}`
        : `=${brush.values.map(encodeURIComponent).join("|")}`;
      return `${encodeURIComponent(name)}:${text}`;
    })
    .join(";");
}

/** The brushes in an address; parts that are none are passed over. */
export function readBrushes(text: string): Brushes {
  const found: Record<string, Brush> = {};
  for (const part of text.split(";")) {
    const [name, range] = part.split(":");
    if (!name || range === undefined) continue;
    const brush = range.startsWith("=")
      ? { values: range.slice(1).split("|").map(decoded) }
      : readRange(range);
    if (brush !== null) found[decoded(name)] = brush;
  }
  return found;
}

function readRange(text: string): Brush | null {
  const ends = text.split("..");
  if (ends.length !== 2) return null;
  const [low, high] = ends.map((end) => (end === "" ? null : Number(end))) as [
    number | null,
    number | null,
  ];
  return Number.isNaN(low) || Number.isNaN(high) ? null : { low, high };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
