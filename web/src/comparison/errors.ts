/** How far predictions were from measurements. */

import type { LevelComparison } from "~/api/comparison";
import { type LoadLevel, load } from "~/ui/format";
import { median } from "~/ui/median";
import type { Metric } from "./metrics";

/** Bands around a measurement, as shares of it. */
export const BANDS = [0.1, 0.15, 0.2] as const;
/** The predictor itself, or what calibration by earlier measurements made of it. */
export type Stage = "base" | "calibrated";

const SPREADS = {
  ttft_ms: "ttft_log_std",
  tpot_ms: "tpot_log_std",
  tok_s: "tok_s_log_std",
} as const;
/** Of a normal distribution, 80 % lies within so many standard deviations. */
const WITHIN_80 = 1.2816;

/** One prediction beside its measurement. */
export interface Pair {
  index: number;
  candidate: string;
  load: LoadLevel;
  source: string;
  predicted: number;
  /** Ends of the 80 % interval of the prediction. */
  low: number;
  high: number;
  actual: number;
  /** predicted / actual - 1. */
  error: number;
}

/** Levels that were both predicted and measured; predictions and measurements of 0 have no ratio. */
export function pairsOf(levels: readonly LevelComparison[], metric: Metric, stage: Stage): Pair[] {
  return levels.flatMap((level) => {
    const figures = level[stage];
    const predicted = figures?.[metric];
    const actual = level.measured?.[metric];
    if (!figures || !predicted || !actual) return [];
    const factor = Math.exp(WITHIN_80 * figures[SPREADS[metric]]);
    return {
      index: level.index,
      candidate: level.experiment,
      load: level.load,
      source: figures.source,
      predicted,
      low: predicted / factor,
      high: predicted * factor,
      actual,
      error: predicted / actual - 1,
    };
  });
}

export interface Errors {
  pairs: number;
  /** Median of the absolute errors, as a share. */
  median: number;
  mean: number;
  /** Geometric mean of predicted / actual, as the service and the reports state it as `bias`. */
  geometricMeanRatio: number;
  /** Share of the pairs within each of the bands. */
  within: readonly number[];
  /** Share of the measurements inside the 80 % interval; null where none is stated. */
  inInterval: number | null;
}

/** Errors of some pairs; null of none. */
export function errorsOf(pairs: readonly Pair[]): Errors | null {
  if (pairs.length === 0) return null;
  const absolute = pairs.map(({ error }) => Math.abs(error));
  const share = (holds: (pair: Pair) => boolean) => pairs.filter(holds).length / pairs.length;
  return {
    pairs: pairs.length,
    median: median(absolute),
    mean: mean(absolute),
    geometricMeanRatio: Math.exp(
      mean(pairs.map(({ predicted, actual }) => Math.log(predicted / actual))),
    ),
    within: BANDS.map((band) => share(({ error }) => Math.abs(error) <= band)),
    inInterval: share(({ low, high, actual }) => low <= actual && actual <= high),
  };
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, one) => sum + one, 0) / values.length;

export type Dimension = "load" | "candidate" | "source";

export interface ErrorsBy {
  value: string;
  errors: Errors;
}

/** Errors of each load, candidate or source; loads in their order, the others worst first. */
export function errorsBy(pairs: readonly Pair[], dimension: Dimension): ErrorsBy[] {
  const groups = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const value = valueOn(pair, dimension);
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [pair]);
    else group.push(pair);
  }
  const rows = [...groups].flatMap(([value, group]) => {
    const errors = errorsOf(group);
    return errors === null ? [] : { value, errors, load: group[0]?.load.value ?? 0 };
  });
  return dimension === "load"
    ? rows.sort((a, b) => a.load - b.load)
    : rows.sort((a, b) => b.errors.median - a.errors.median);
}

function valueOn(pair: Pair, dimension: Dimension): string {
  if (dimension === "load") return load(pair.load);
  return dimension === "candidate" ? `#${pair.index}` : pair.source;
}
