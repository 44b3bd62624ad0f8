/** Grid, axes and their names; the points are not its affair. */

import type { Palette } from "~/charts/palette";
import type { Area, Pen } from "~/charts/pen";
import { type Span, ticks, toValue } from "~/charts/scale";
import { number, usd } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import { areaOf, type Frame, xPixel, yPixel } from "./frame";

const APART_PX = { x: 64, y: 42 } as const;
const FEWEST = 2;
const LABEL = { size: 11 } as const;
const NAME = { size: 12, weight: 550 } as const;
/** Width of a letter of a name, about. */
const LETTER_PX = 7;

/** The lines on which values are read, and the two axes. They lie behind everything. */
export function drawGrid(pen: Pen, frame: Frame, palette: Palette): void {
  const area = areaOf(frame.size);
  const [right, bottom] = [area.left + area.width, area.top + area.height];
  const lines: number[] = [];
  const upright = (x: number) => lines.push(x, area.top, x, bottom, Number.NaN, Number.NaN);
  const level = (y: number) => lines.push(area.left, y, right, y, Number.NaN, Number.NaN);
  for (const { at } of ticksAlong(frame, area, "x")) upright(crisp(at));
  for (const { at } of ticksAlong(frame, area, "y")) level(crisp(at));
  upright(crisp(area.left));
  level(crisp(bottom));
  pen.line(lines, { color: palette.line, width: 1 });
}

/** Values along both axes, and their names, with an arrow to where it is better. */
export function drawLabels(pen: Pen, frame: Frame, palette: Palette): void {
  const area = areaOf(frame.size);
  const bottom = area.top + area.height;
  const { plane } = frame;
  const label = { ...LABEL, color: palette.quiet };
  for (const { at, text } of ticksAlong(frame, area, "x")) pen.text(text, at, bottom + 14, label);
  for (const { at, text } of ticksAlong(frame, area, "y")) {
    pen.text(text, area.left - 8, at, { ...label, align: "right" });
  }
  const name = { ...NAME, color: palette.text };
  pen.text(
    nameWithin(area.left + area.width, plane.x, plane.logX),
    area.left + area.width / 2,
    bottom + 34,
    name,
  );
  pen.text(
    nameWithin(frame.size.height, plane.y, plane.logY),
    area.left - 62,
    area.top + area.height / 2,
    {
      ...name,
      isUpright: true,
    },
  );
}

/** Names run along their axes, so that the arrow points to where values are better. */
export function axisName({ title, unit, better }: Quantity, isLog: boolean): string {
  const name = `${title}${unit ? ` (${unit})` : ""}${isLog ? ", log" : ""}`;
  return better === "higher" ? `${name}  better →` : `← better  ${name}`;
}

/** The name of an axis, with the short one of its quantity where the whole is longer than its room. */
export function nameWithin(roomPx: number, quantity: Quantity, isLog: boolean): string {
  const whole = axisName(quantity, isLog);
  if (whole.length * LETTER_PX <= roomPx) return whole;
  const { short, unit } = quantity;
  return axisName({ ...quantity, title: short, unit: short === unit ? "" : unit }, isLog);
}

interface Tick {
  /** In px. */
  at: number;
  text: string;
}

function ticksAlong({ plane, spans }: Frame, area: Area, side: "x" | "y"): Tick[] {
  const span: Span = spans[side];
  const isLog = side === "x" ? plane.logX : plane.logY;
  const length = side === "x" ? area.width : area.height;
  const most = Math.max(FEWEST, Math.floor(length / APART_PX[side]));
  const write = plane[side].unit === "USD" ? usd : number;
  const pixel = side === "x" ? xPixel : yPixel;
  return ticks(span, isLog, most).map((place) => ({
    at: pixel(area, span, place),
    text: write(toValue(place, isLog)),
  }));
}

/** In the middle of a pixel, where a thin line is not smeared over two. */
const crisp = (at: number): number => Math.floor(at) + 0.5;
