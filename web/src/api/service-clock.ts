/** The service's time: the reader's clock may be wrong by hours. */

const TOLERATED_MS = 5_000;
let aheadMs = 0;

/**
 * Notes the `Date` of an answer.
 *
 * It has whole seconds and comes a moment late: small differences say nothing about the clock.
 */
export function noteServiceTime(date: string | null, nowMs = Date.now()): void {
  const thereMs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(thereMs)) return;
  const differenceMs = thereMs - nowMs;
  aheadMs = Math.abs(differenceMs) < TOLERATED_MS ? 0 : differenceMs;
}

/** The service's time, in ms of the epoch. */
export function serviceNowMs(): number {
  return Date.now() + aheadMs;
}
