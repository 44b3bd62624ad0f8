/** Axes side by side: of every setting that varies, and of the figures that the task is for. */

import { placeAt, type Span, shareOf, toPlace, toValue } from "~/charts/scale";
import { fieldName, number, setting } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { type Brush, isRange, LOAD, valueAlong } from "./brushes";
import type { PointSet } from "./point-set";

interface Along {
  name: string;
  title: string;
  /** Where each point lies, from 0 at the bottom to 1 at the top; NaN where it has no value. */
  positions: Float64Array;
}

/** An axis of numbers. Figures run so that better values lie further up. */
export interface RangeDimension extends Along {
  kind: "range";
  span: Span;
  isLog: boolean;
  isInverted: boolean;
  format: (value: number) => string;
}

/** An axis of separate values, each with the same room. */
export interface ChoiceDimension extends Along {
  kind: "choices";
  choices: readonly string[];
}

export type Dimension = RangeDimension | ChoiceDimension;

/** Ends of a brush as shares of the axis. */
export interface Extent {
  low: number;
  high: number;
}

const FEW_CHOICES = 12;
const WIDE = 50;
/** How near to an end of an axis a brush reaches beyond it. */
const END = 0.02;

/** Dimensions that were made: other axes of the chart ask for most of them again. */
const made = new WeakMap<PointSet, Map<string, Dimension | null>>();

/** Only what tells points apart: an axis on which all lie at one place says nothing. */
export function dimensionsOf(set: PointSet, names: readonly string[]): Dimension[] {
  const known = made.get(set) ?? new Map<string, Dimension | null>();
  made.set(set, known);
  return names.flatMap((name) => {
    let dimension = known.get(name);
    if (dimension === undefined) {
      const found = dimensionOf(set, name);
      dimension = varies(found) ? found : null;
      known.set(name, dimension);
    }
    return dimension ?? [];
  });
}

function varies({ positions }: Dimension): boolean {
  const first = positions.find((position) => !Number.isNaN(position));
  return positions.some((position) => !Number.isNaN(position) && position !== first);
}

function dimensionOf(set: PointSet, name: string): Dimension {
  const isFigure = name !== LOAD && !name.includes(".");
  const title = isFigure ? quantity(name).short : name === LOAD ? "load" : fieldName(name);
  if (isFigure) {
    const { better, format } = quantity(name);
    return rangeOf({ name, title }, set.column(name), better === "lower", format);
  }
  const values = set.points.map((point) => valueAlong(point, name));
  const distinct = [...new Set(values)];
  if (distinct.length > FEW_CHOICES && distinct.every((value) => typeof value === "number")) {
    return rangeOf({ name, title }, Float64Array.from(values as number[]), false, number);
  }
  return choicesOf({ name, title }, values, distinct);
}

function rangeOf(
  of: { name: string; title: string },
  values: Float64Array,
  isInverted: boolean,
  format: (value: number) => string,
): RangeDimension {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  const isLog = low > 0 && high / low >= WIDE;
  const span = { low: toPlace(low, isLog), high: toPlace(high, isLog) };
  const width = span.high - span.low || 1;
  const positions = values.map((value) => {
    const share = (toPlace(value, isLog) - span.low) / width;
    return isInverted ? 1 - share : share;
  });
  return { ...of, kind: "range", span, isLog, isInverted, format, positions };
}

function choicesOf(
  of: { name: string; title: string },
  values: readonly unknown[],
  distinct: readonly unknown[],
): ChoiceDimension {
  const choices = distinct.toSorted(byValue).map(setting);
  const places = new Map(choices.map((choice, index) => [choice, (index + 0.5) / choices.length]));
  const positions = Float64Array.from(values, (value) => places.get(setting(value)) ?? Number.NaN);
  return { ...of, kind: "choices", choices, positions };
}

function byValue(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return setting(left).localeCompare(setting(right), "en", { numeric: true });
}

/** What a brush between two shares of an axis selects; null where that is everything. */
export function brushOf(dimension: Dimension, { low, high }: Extent): Brush | null {
  const fromEnd = low <= END;
  const toEnd = high >= 1 - END;
  if (fromEnd && toEnd) return null;
  if (dimension.kind === "choices") {
    const { choices } = dimension;
    const values = choices.filter((_, index) => {
      const position = (index + 0.5) / choices.length;
      return position >= low && position <= high;
    });
    return values.length === choices.length ? null : { values };
  }
  const { span, isLog, isInverted } = dimension;
  const valueAt = (share: number) => toValue(placeAt(span, isInverted ? 1 - share : share), isLog);
  const ends = { low: fromEnd ? null : valueAt(low), high: toEnd ? null : valueAt(high) };
  return isInverted ? { low: ends.high, high: ends.low } : ends;
}

/** Where a brush lies on its axis; the whole axis where there is none. */
export function extentOf(dimension: Dimension, brush: Brush | undefined): Extent {
  if (brush === undefined) return { low: 0, high: 1 };
  if (dimension.kind === "choices") {
    if (isRange(brush)) return { low: 0, high: 1 };
    const { choices } = dimension;
    const at = brush.values.map((value) => choices.indexOf(value)).filter((index) => index >= 0);
    if (at.length === 0) return { low: 0, high: 0 };
    return { low: Math.min(...at) / choices.length, high: (Math.max(...at) + 1) / choices.length };
  }
  if (!isRange(brush)) return { low: 0, high: 1 };
  const { span, isLog, isInverted } = dimension;
  const position = (value: number) => {
    const share = Math.min(1, Math.max(0, shareOf(span, toPlace(value, isLog))));
    return isInverted ? 1 - share : share;
  };
  const low = brush.low === null ? (isInverted ? 1 : 0) : position(brush.low);
  const high = brush.high === null ? (isInverted ? 0 : 1) : position(brush.high);
  return { low: Math.min(low, high), high: Math.max(low, high) };
}

/** By how much one press of a key moves an end of a brush. */
export const stepOf = (dimension: Dimension): number =>
  dimension.kind === "choices" ? 1 / dimension.choices.length : 0.02;

export interface AxisLabel {
  position: number;
  text: string;
}

const MOST_LABELS = 6;

/** What stands along an axis: every choice where there is room, else some of them; ends of a range. */
export function labelsOf(dimension: Dimension): AxisLabel[] {
  if (dimension.kind === "choices") {
    const { choices } = dimension;
    const stride = Math.ceil(choices.length / FEW_CHOICES);
    return choices.flatMap((text, index) =>
      index % stride === 0 ? [{ position: (index + 0.5) / choices.length, text }] : [],
    );
  }
  const { span, isLog, isInverted, format } = dimension;
  return Array.from({ length: MOST_LABELS - 1 }, (_, index) => {
    const position = index / (MOST_LABELS - 2);
    const place = placeAt(span, isInverted ? 1 - position : position);
    return { position, text: format(toValue(place, isLog)) };
  });
}
