/** What has changed between two series: the same configuration at the same load, then and now. */

import type { Figure, OperatingPoint } from "~/api/points";
import { count } from "~/ui/format";
import { median } from "~/ui/median";
import { quantity } from "~/ui/quantities";
import { isComparable } from "./mixture";
import { ENGINE, GPU, type Series } from "./series";

export const COMPARED = ["tok_s_per_gpu", "ttft_ms", "tpot_ms", "e2e_p90_ms"] as const;

/** Groups that say on what and with which requests; engine and GPU are compared by themselves. */
const ASIDE = /^(runtime|system)\./;
const SERVING_MODE = "system.serving_mode";

export interface Change {
  quantity: string;
  pairs: number;
  /** Median of new / old - 1; null of no pairs. */
  median: number | null;
  /** Undisturbed pairs of which both sides have an interval; a change of the others is not distinguished from noise. */
  judged: number;
  /** Of these, those that are clearly better or worse: their intervals do not meet. */
  better: number;
  worse: number;
  /** Whether the median is a change for the better; null where not more than half of the pairs clearly are. */
  isBetter: boolean | null;
}

interface PointPair {
  then: OperatingPoint;
  now: OperatingPoint;
}

/** Points of two series that are known to be the same configuration at the same load. */
export interface SamePoints {
  pairs: readonly PointPair[];
  /** Points of both that do not state their settings, engine or GPU. */
  unstated: number;
  /** Points of both that others of the same series equal in all of that. */
  ambiguous: number;
}

/** Pairs of the same kind, engine, GPU, settings and load; none of another model or workload. */
export function samePoints(first: Series, other: Series): SamePoints {
  if (!isComparable(first, other)) return { pairs: [], unstated: 0, ambiguous: 0 };
  const [before, after] = [identified(first), identified(other)];
  const pairs = [...after.byIdentity].flatMap(([identity, now]) => {
    const then = before.byIdentity.get(identity);
    return then ? { then, now } : [];
  });
  return {
    pairs,
    unstated: before.unstated + after.unstated,
    ambiguous: before.ambiguous + after.ambiguous,
  };
}

export interface Changes extends SamePoints {
  series: Series;
  /** Pairs of which a side was disturbed: whether it is better or worse is not judged. */
  disturbed: number;
  rows: readonly Change[];
}

/** Changes of each quantity over the points that both have. */
export function changesBetween(first: Series, series: Series): Changes {
  const same = samePoints(first, series);
  const disturbed = same.pairs.filter(isDisturbed).length;
  return { ...same, series, disturbed, rows: COMPARED.map((name) => changeOf(name, same.pairs)) };
}

const isDisturbed = ({ then, now }: PointPair): boolean => then.is_disturbed || now.is_disturbed;

function changeOf(name: string, pairs: readonly PointPair[]): Change {
  const isHigherBetter = quantity(name).better === "higher";
  const ratios: number[] = [];
  let [judged, better, worse] = [0, 0, 0];
  for (const pair of pairs) {
    const [old, young] = [pair.then.figures[name], pair.now.figures[name]];
    if (!old || !young) continue;
    ratios.push(young.value / old.value - 1);
    if (isDisturbed(pair) || !hasInterval(old) || !hasInterval(young)) continue;
    judged += 1;
    const isHigher = young.low > old.high;
    if (!isHigher && young.high >= old.low) continue;
    if (isHigher === isHigherBetter) better += 1;
    else worse += 1;
  }
  const isMost = (some: number) => 2 * some > ratios.length;
  return {
    quantity: name,
    pairs: ratios.length,
    median: ratios.length === 0 ? null : median(ratios),
    judged,
    better,
    worse,
    isBetter: isMost(better) ? true : isMost(worse) ? false : null,
  };
}

function hasInterval(figure: Figure): figure is Figure & { low: number; high: number } {
  return typeof figure.low === "number" && typeof figure.high === "number";
}

interface Identified {
  byIdentity: ReadonlyMap<string, OperatingPoint>;
  unstated: number;
  ambiguous: number;
}

const known = new WeakMap<Series, Identified>();

/** Points of a series by what they are, which takes long of many and is asked for with each other series. */
function identified(series: Series): Identified {
  const before = known.get(series);
  if (before !== undefined) return before;
  const byIdentity = new Map<string, OperatingPoint>();
  const times = new Map<string, number>();
  let unstated = 0;
  for (const point of series.points.points) {
    const of = identity(series, point);
    if (of === null) unstated += 1;
    else {
      byIdentity.set(of, point);
      times.set(of, (times.get(of) ?? 0) + 1);
    }
  }
  let ambiguous = 0;
  for (const [of, points] of times) {
    if (points === 1) continue;
    byIdentity.delete(of);
    ambiguous += points;
  }
  const found = { byIdentity, unstated, ambiguous };
  known.set(series, found);
  return found;
}

/** What a point is of; null where that is not known: then only its load would be compared. */
function identity({ taskId }: Series, point: OperatingPoint): string | null {
  const { settings, load, gpus, kind } = point;
  const machine = [settings[ENGINE], settings[GPU]].map((name) =>
    typeof name === "string" ? name.toLowerCase() : "",
  );
  const own = Object.entries(settings)
    .filter(([path]) => path === SERVING_MODE || !ASIDE.test(path))
    .sort(([one], [two]) => (one < two ? -1 : 1));
  // A task's point that sets nothing has the engine's defaults; a file may only not say them.
  const isSilent = taskId === null && own.every(([path]) => path === SERVING_MODE);
  if (machine.includes("") || isSilent) return null;
  return JSON.stringify([kind, machine, gpus, own, load.kind, load.value]);
}

/** How many points take no part, in sentences; null where all do. */
export function leftOutInWords(changes: readonly Changes[]): string | null {
  const lines = changes.flatMap(({ series, unstated, ambiguous }) => {
    const whys = [
      ...(unstated > 0 ? [`${count(unstated)} without settings, engine or GPU`] : []),
      ...(ambiguous > 0 ? [`${count(ambiguous)} that others of their series equal`] : []),
    ];
    return whys.length > 0 ? [`with ${series.name} ${whys.join(" and ")}`] : [];
  });
  return lines.length > 0 ? `Points that take no part: ${lines.join("; ")}.` : null;
}

/** How many of the same points are not judged, in a sentence; null where all are. */
export function notJudgedInWords(changes: readonly Changes[]): string | null {
  const lines = changes.flatMap(({ series, disturbed, pairs }) =>
    disturbed > 0 ? [`with ${series.name} ${count(disturbed)} of ${count(pairs.length)}`] : [],
  );
  if (lines.length === 0) return null;
  return `Same points that were disturbed on either side, and so are neither clearly better nor worse: ${lines.join("; ")}.`;
}
