/** What has changed between two series: the same configuration at the same load, then and now. */

import type { Figure, OperatingPoint } from "~/api/points";
import { quantity } from "~/ui/quantities";
import { isComparable } from "./mixture";
import type { Series } from "./series";

export const COMPARED = ["tok_s_per_gpu", "ttft_ms", "tpot_ms", "e2e_p90_ms"] as const;

/** Groups that say on what and with which requests, not how the engine was set. */
const ASIDE = /^(runtime|system)\./;

export interface Change {
  quantity: string;
  pairs: number;
  /** Median of new / old - 1; null of no pairs. */
  median: number | null;
  /** Pairs of which both sides have an interval; a change of the others is not distinguished from noise. */
  judged: number;
  /** Of these, those that are clearly better or worse: their intervals do not meet. */
  better: number;
  worse: number;
}

interface PointPair {
  then: OperatingPoint;
  now: OperatingPoint;
}

/** Points of both that have the same settings and load; none of another model or workload. */
export function samePoints(first: Series, other: Series): PointPair[] {
  if (!isComparable(first, other)) return [];
  const known = new Map(first.points.points.map((point) => [identity(point), point]));
  return other.points.points.flatMap((now) => {
    const then = known.get(identity(now));
    return then ? { then, now } : [];
  });
}

/** Changes of each quantity over the points that both have. */
export function changesBetween(first: Series, other: Series): Change[] {
  const pairs = samePoints(first, other);
  return COMPARED.map((name) => {
    const isHigherBetter = quantity(name).better === "higher";
    const ratios: number[] = [];
    let [judged, better, worse] = [0, 0, 0];
    for (const { then, now } of pairs) {
      const [old, young] = [then.figures[name], now.figures[name]];
      if (!old || !young) continue;
      ratios.push(young.value / old.value - 1);
      if (!hasInterval(old) || !hasInterval(young)) continue;
      judged += 1;
      const isHigher = young.low > old.high;
      if (!isHigher && young.high >= old.low) continue;
      if (isHigher === isHigherBetter) better += 1;
      else worse += 1;
    }
    return { quantity: name, pairs: ratios.length, median: median(ratios), judged, better, worse };
  });
}

function hasInterval(figure: Figure): figure is Figure & { low: number; high: number } {
  return typeof figure.low === "number" && typeof figure.high === "number";
}

function identity({ settings, load }: OperatingPoint): string {
  const own = Object.entries(settings)
    .filter(([path]) => !ASIDE.test(path))
    .sort(([one], [two]) => (one < two ? -1 : 1));
  return JSON.stringify([own, load.kind, load.value]);
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}
