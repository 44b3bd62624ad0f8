/**
 * Axes between values and pixels.
 *
 * A place is where a value lies along an axis: the value itself, or on a logarithmic axis its power
 * of ten. Whatever is drawn, zoomed or searched is in places, so that only `toPlace` and `toValue`
 * know which of the two an axis is.
 */

export interface Span {
  low: number;
  high: number;
}

export const toPlace = (value: number, isLog: boolean): number =>
  isLog ? (value > 0 ? Math.log10(value) : Number.NaN) : value;

export const toValue = (place: number, isLog: boolean): number => (isLog ? 10 ** place : place);

/** Places of values; NaN where there is no value, or none above 0 on a logarithmic axis. */
export function toPlaces(values: Float64Array, isLog: boolean): Float64Array {
  return isLog ? values.map((value) => toPlace(value, true)) : values;
}

const MARGIN = 0.06;

/** The span of all places that are counted, with room at both ends. An even axis keeps 0 in sight. */
export function spanOf(
  places: ArrayLike<number>,
  isLog: boolean,
  counts: (index: number) => boolean = () => true,
): Span {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < places.length; index++) {
    const place = places[index] as number;
    if (Number.isNaN(place) || !counts(index)) continue;
    if (place < low) low = place;
    if (place > high) high = place;
  }
  if (low > high) return { low: 0, high: 1 };
  // Where the values begin far from 0, an axis from 0 would waste the room.
  if (!isLog && low >= 0 && low < 0.5 * high) low = 0;
  const extent = high - low || (isLog ? 0.2 : Math.abs(high) || 1);
  const room = MARGIN * extent;
  return { low: low === 0 && !isLog ? 0 : low - room, high: high + room };
}

/** A span made narrower (share below 1) or wider around the place that stays where it is. */
export function zoomed(span: Span, around: number, share: number): Span {
  return { low: around - (around - span.low) * share, high: around + (span.high - around) * share };
}

/** A span moved by a share of its width. */
export function panned(span: Span, share: number): Span {
  const by = (span.high - span.low) * share;
  return { low: span.low + by, high: span.high + by };
}

export const shareOf = (span: Span, place: number): number =>
  (place - span.low) / (span.high - span.low);

export const placeAt = (span: Span, share: number): number =>
  span.low + share * (span.high - span.low);

const MANTISSAS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]];

/** Places of round values within a span: as many as there are, up to a number. */
export function ticks(span: Span, isLog: boolean, most: number): number[] {
  if (!isLog) return evenTicks(span, most);
  const powers = range(Math.floor(span.low), Math.ceil(span.high));
  let best: number[] = [];
  for (const mantissas of MANTISSAS) {
    const places = powers
      .flatMap((power) => mantissas.map((mantissa) => power + Math.log10(mantissa)))
      .filter((place) => place >= span.low && place <= span.high);
    if (places.length <= most && places.length > best.length) best = places;
  }
  if (best.length === 0 && powers.length > most) {
    const stride = Math.ceil(powers.length / most);
    best = powers.filter(
      (power) => power % stride === 0 && power >= span.low && power <= span.high,
    );
  }
  if (best.length >= 3) return best;
  // Less than a decade: round values lie almost evenly.
  const values = evenTicks({ low: 10 ** span.low, high: 10 ** span.high }, most);
  return values.length > best.length ? values.map(Math.log10) : best;
}

function evenTicks({ low, high }: Span, most: number): number[] {
  const extent = high - low;
  if (!(extent > 0) || !Number.isFinite(extent)) return [];
  const power = 10 ** Math.floor(Math.log10(extent / most));
  const step =
    power * ([1, 2, 5, 10].find((mantissa) => extent / (power * mantissa) <= most) ?? 10);
  // Multiples by whole numbers: sums of steps would drift.
  return range(Math.ceil(low / step), Math.floor(high / step)).map((count) =>
    Number((count * step).toPrecision(12)),
  );
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
