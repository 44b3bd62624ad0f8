/** Intervals of compared points: as whiskers in the chart, and in words in its table. */

import type { OperatingPoint } from "~/api/points";
import { flat, intervalsOf, type Segment } from "~/explorer/intervals";
import type { Line } from "~/explorer/layers";
import type { Quantity } from "~/ui/quantities";
import type { Dots } from "./dots";
import type { Look } from "./looks";

/** Beyond this many dots, whiskers of those on a frontier alone can be told apart. */
const MANY = 200;
const PALE = 0.25;
const PLAIN = 0.6;
/** Ends that are as far away, but for the last digits that are shown. */
const AS_FAR = 0.02;

export interface Whiskers {
  lines: readonly Line[];
  /** Whether there are too many dots for those of all. */
  isThinned: boolean;
}

/** The 95 % intervals of what was measured; those of disturbed points are pale, as these are. */
export function whiskersOf(
  series: readonly (readonly OperatingPoint[])[],
  dots: readonly Dots[],
  looks: readonly Look[],
): Whiskers {
  const isThinned = dots.reduce((sum, { drawn }) => sum + drawn.length, 0) > MANY;
  const lines = dots.flatMap(({ plane, frontier, drawn, disturbed }, place): Line[] => {
    const points = series[place] ?? [];
    const measured = (isThinned ? frontier : drawn).filter(
      (index) => points[index]?.kind === "measured",
    );
    return [false, true].flatMap((isDisturbed) => {
      const some = measured.filter((index) => disturbed.has(index) === isDisturbed);
      const found: Segment[] = some.flatMap((index) => intervalsOf(points[index], plane, index));
      const style = { color: (looks[place] as Look).color, width: 1.25 };
      if (found.length === 0) return [];
      return [{ ...style, opacity: isDisturbed ? PALE : PLAIN, places: flat(found) }];
    });
  });
  return { lines, isThinned };
}

/** "± 3.1 ms", "98 to 140 ms" where it leans to a side; of a prediction with its level, 80 %. */
export function intervalInWords({ kind, figures }: OperatingPoint, { key, format }: Quantity) {
  const figure = figures[key];
  if (!figure) return "–";
  const { value, low, high } = figure;
  const level = kind === "predicted" ? "80 %: " : "";
  if (low == null && high == null) return "not known";
  if (low == null) return `${level}up to ${format(high)}`;
  if (high == null) return `${level}from ${format(low)}`;
  const isEven = Math.abs(high - value - (value - low)) <= AS_FAR * (high - low);
  return level + (isEven ? `± ${format((high - low) / 2)}` : `${format(low)} to ${format(high)}`);
}
