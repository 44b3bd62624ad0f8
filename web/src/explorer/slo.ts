/**
 * Limits that points are held against, and the point to serve with, while limits are dragged.
 *
 * The service has the rule (`search/slo.py`); `tests/search/slo_cases.json` has what both decide.
 */

import type { OperatingPoint, Verdict } from "~/api/points";
import { milliseconds, percent } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import type { PointSet } from "./point-set";

/** Latency -> upper limit in ms. */
export type Limits = Readonly<Record<string, number>>;

export const LIMITED = ["ttft_ms", "tpot_ms", "e2e_p90_ms"] as const;

/** By what share of it the limit that is missed most is missed; negative where all are met. */
export function worstExcess(
  point: OperatingPoint,
  limits: Limits,
): { share: number; name: string } {
  let worst = { share: Number.NEGATIVE_INFINITY, name: "" };
  for (const name in limits) {
    const limit = limits[name] as number;
    const value = point.figures[name]?.value ?? null;
    const share = value === null ? Number.POSITIVE_INFINITY : value / limit - 1;
    if (share > worst.share) worst = { share, name };
  }
  return worst;
}

export const meets = (point: OperatingPoint, limits: Limits): boolean =>
  worstExcess(point, limits).share <= 0;

const SEVERITY: readonly Verdict[] = ["meets", "unclear", "misses"];

/** How a point stands to all limits: unclear where one lies inside the interval of a figure. */
export function verdict(point: OperatingPoint, limits: Limits): Verdict {
  let worst = 0;
  for (const name in limits) {
    worst = Math.max(worst, SEVERITY.indexOf(verdictOn(point, name, limits[name] as number)));
  }
  return SEVERITY[worst] as Verdict;
}

export function verdictOn(point: OperatingPoint, name: string, limit: number): Verdict {
  const figure = point.figures[name];
  if (!figure) return "misses";
  const { value, low, high } = figure;
  const hasInterval = low != null || high != null;
  // An end that is not known may be anywhere.
  if ((hasInterval ? (high ?? Number.POSITIVE_INFINITY) : value) <= limit) return "meets";
  return (hasInterval ? (low ?? 0) : value) <= limit ? "unclear" : "misses";
}

/** Of each point, 1 where it meets all limits. */
export function meetingMask(set: PointSet, limits: Limits): Uint8Array {
  const mask = new Uint8Array(set.size).fill(1);
  for (const [name, limit] of Object.entries(limits)) {
    const column = set.column(name);
    for (let index = 0; index < mask.length; index++) {
      // NaN is not within any limit.
      if (!((column[index] as number) <= limit)) mask[index] = 0;
    }
  }
  return mask;
}

export interface Recommendation {
  index: number;
  meetsSlo: boolean;
  reason: string;
}

/**
 * The point to serve with, of the steady measured ones; of the predicted ones while none is measured.
 *
 * With limits: of the points that meet them clearly, else of those that meet them at all, the one
 * with the most throughput per GPU; where none does, the one that misses least. Without limits: the
 * best balance of throughput and speed. A single objective takes the place of both.
 */
export function recommended(
  set: PointSet,
  limits: Limits,
  objectives: readonly string[],
): Recommendation | null {
  const names = [...objectives, ...Object.keys(limits)];
  const choices = choicesOf(set, names);
  if (choices.length === 0) return null;

  const only = objectives.length === 1 ? objectives[0] : undefined;
  if (Object.keys(limits).length === 0) {
    return only === undefined
      ? balance(set, choices, objectives)
      : best(set, choices, only, "of all points");
  }
  const mask = meetingMask(set, limits);
  const meeting = choices.filter((index) => mask[index]);
  if (meeting.length === 0) return nearest(set, choices, limits);
  const isClear = (index: number) =>
    verdict(set.points[index] as OperatingPoint, limits) === "meets";
  const name = only ?? "tok_s_per_gpu";
  return (
    best(set, meeting, name, "of those that meet the SLO", isClear) ??
    best(set, meeting, name, "that meets the SLO, not clearly")
  );
}

/** The steady points that have all figures: measured ones, or where there are none predicted ones. */
function choicesOf(set: PointSet, names: readonly string[]): readonly number[] {
  const columns = names.map((name) => set.column(name));
  const measured: number[] = [];
  const predicted: number[] = [];
  for (let index = 0; index < set.size; index++) {
    if (!set.isSteady[index]) continue;
    // 0 is no value: it has no ratio to another.
    if (!columns.every((column) => (column[index] as number) > 0)) continue;
    (set.isMeasured[index] ? measured : predicted).push(index);
  }
  return measured.length > 0 ? measured : predicted;
}

function best(
  set: PointSet,
  choices: readonly number[],
  name: string,
  which: string,
  counts?: (index: number) => boolean,
): Recommendation | null {
  const { better, title, format } = quantity(name);
  const column = set.column(name);
  const ttft = set.column("ttft_ms");
  const sign = better === "higher" ? 1 : -1;
  const scores = [(one: number) => sign * value(column, one), (one: number) => -value(ttft, one)];
  const index = argmax(choices, scores, counts);
  if (index < 0) return null;
  const most = `${better === "higher" ? "Highest" : "Lowest"} ${title.toLowerCase().replace(" gpu", " GPU")}`;
  return { index, meetsSlo: true, reason: `${most} (${format(column[index])}) ${which}` };
}

/** Of the points that no other beats in every objective, the greatest product. */
function balance(
  set: PointSet,
  choices: readonly number[],
  objectives: readonly string[],
): Recommendation {
  const throughput = set.column("tok_s_per_gpu");
  const users = set.column("tok_s_per_user");
  const ttft = set.column("ttft_ms");
  const speed = (index: number) => value(users, index) || 1000 / value(ttft, index);
  const isOnFrontier = (one: number) =>
    !choices.some((other) => beats(set, objectives, other, one));
  const score = (one: number) => value(throughput, one) * speed(one);
  const index = argmax(choices, [score], isOnFrontier);
  const most = Math.max(...choices.map((one) => value(throughput, one)));
  const fastest = Math.max(...choices.map(speed));
  const shares = `${percent(value(throughput, index) / most, 0)} of the highest throughput at ${percent(speed(index) / fastest, 0)} of the highest speed`;
  return { index, meetsSlo: true, reason: `Best balance: ${shares}` };
}

function beats(set: PointSet, objectives: readonly string[], one: number, other: number): boolean {
  let isBetter = false;
  for (const name of objectives) {
    const sign = quantity(name).better === "higher" ? 1 : -1;
    const column = set.column(name);
    const difference = sign * ((column[one] as number) - (column[other] as number));
    if (difference < 0) return false;
    if (difference > 0) isBetter = true;
  }
  return isBetter;
}

function nearest(set: PointSet, choices: readonly number[], limits: Limits): Recommendation {
  const throughput = set.column("tok_s_per_gpu");
  const excessOf = (index: number) => worstExcess(set.points[index] as OperatingPoint, limits);
  const index = argmax(choices, [(one) => -excessOf(one).share, (one) => value(throughput, one)]);
  const { share, name } = excessOf(index);
  const limit = milliseconds(limits[name]);
  return {
    index,
    meetsSlo: false,
    reason: `Nothing meets the SLO: the nearest misses ${quantity(name).short} (${limit}) by ${percent(share)}`,
  };
}

const value = (column: Float64Array, index: number): number => {
  const found = column[index] as number;
  return Number.isNaN(found) ? 0 : found;
};

/**
 * The first of the highest by some scores, where the earlier ones are equal; -1 where none counts.
 *
 * @param counts asked only of a point that would be the highest: it may take its time.
 */
function argmax(
  choices: readonly number[],
  scores: readonly ((index: number) => number)[],
  counts: (index: number) => boolean = () => true,
): number {
  let best = -1;
  let highest: number[] = [];
  for (const one of choices) {
    if (best >= 0 && !isHigher(one)) continue;
    if (!counts(one)) continue;
    best = one;
    highest = scores.map((score) => score(one));
  }
  return best;

  function isHigher(one: number): boolean {
    for (let at = 0; at < scores.length; at++) {
      const difference = (scores[at] as (index: number) => number)(one) - (highest[at] as number);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }
}
