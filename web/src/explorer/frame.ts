/** Where places lie in the chart, in px. */

import type { Area } from "~/charts/pen";
import type { Size } from "~/charts/plot";
import { type Span, shareOf } from "~/charts/scale";
import type { Plane } from "./axes";

/** Room around the plot for axes and their names, in px. */
const MARGINS = { left: 74, right: 22, top: 14, bottom: 46 } as const;

export interface Spans {
  x: Span;
  y: Span;
}

/** A plane as it is looked at. */
export interface Frame {
  plane: Plane;
  spans: Spans;
  size: Size;
}

/** The plot inside its margins. */
export function areaOf({ width, height }: Size): Area {
  return {
    left: MARGINS.left,
    top: MARGINS.top,
    width: Math.max(1, width - MARGINS.left - MARGINS.right),
    height: Math.max(1, height - MARGINS.top - MARGINS.bottom),
  };
}

export const xPixel = (area: Area, span: Span, place: number): number =>
  area.left + shareOf(span, place) * area.width;

export const yPixel = (area: Area, span: Span, place: number): number =>
  area.top + (1 - shareOf(span, place)) * area.height;

export const isInside = (area: Area, { x, y }: { x: number; y: number }): boolean =>
  x >= area.left && x <= area.left + area.width && y >= area.top && y <= area.top + area.height;

/** Pixels of places, x and y in turns. */
export function pixelsOf(places: Float64Array, spans: Spans, area: Area): Float64Array {
  const pixels = new Float64Array(places.length);
  const [across, up] = [scaleOf(spans.x, area.width), scaleOf(spans.y, area.height)];
  const bottom = area.top + area.height;
  for (let at = 0; at < places.length; at += 2) {
    pixels[at] = area.left + ((places[at] as number) - spans.x.low) * across;
    pixels[at + 1] = bottom - ((places[at + 1] as number) - spans.y.low) * up;
  }
  return pixels;
}

/** The same, of those alone that lie in sight, or no further away than a mark is wide. */
export function pixelsInSight(
  places: Float64Array,
  spans: Spans,
  area: Area,
  reach: number,
): Float64Array {
  const pixels = pixelsOf(places, spans, area);
  const [right, bottom] = [area.left + area.width + reach, area.top + area.height + reach];
  const [left, top] = [area.left - reach, area.top - reach];
  let count = 0;
  for (let at = 0; at < pixels.length; at += 2) {
    const [x, y] = [pixels[at] as number, pixels[at + 1] as number];
    if (x < left || x > right || y < top || y > bottom) continue;
    pixels[count] = x;
    pixels[count + 1] = y;
    count += 2;
  }
  return pixels.subarray(0, count);
}

const scaleOf = ({ low, high }: Span, length: number): number => length / (high - low);
