/** Errors as the service says them, in percent, as tables and charts of comparisons have them. */

import type { AccuracyRow, ComparedPair, MetricErrors } from "~/api/verify";
import { BANDS, type Errors, type ErrorsBy, type Pair, type Stage } from "~/comparison/errors";
import type { Metric } from "~/comparison/metrics";
import { quantity } from "~/ui/quantities";

/** Metric of a comparison of results -> the quantity that it is of. */
export const RESULT_METRICS = {
  ttft: "ttft_ms",
  tpot: "tpot_ms",
  tpot_with_first: "tpot_ms",
  tok_s: "tok_s",
} as const;
export type ResultMetric = keyof typeof RESULT_METRICS;
export const RESULT_METRIC_NAMES = Object.keys(RESULT_METRICS) as ResultMetric[];

export function metricTitle(metric: ResultMetric): string {
  return metric === "tpot_with_first"
    ? "TPOT with first token"
    : quantity(RESULT_METRICS[metric]).short;
}

/** Null of no pairs. */
export function errorsOfView(
  view: (MetricErrors & { in_interval?: number | null }) | undefined,
): Errors | null {
  if (!view || view.pairs === 0 || view.median_ape === null) return null;
  const share = (value: number | null | undefined) =>
    value === null || value === undefined ? null : value / 100;
  return {
    pairs: view.pairs,
    median: view.median_ape / 100,
    mean: (view.mape ?? view.median_ape) / 100,
    geometricMeanRatio: view.bias ?? 1,
    within: BANDS.map((band) => share(view.within[String(Math.round(100 * band))]) ?? 0),
    inInterval: share(view.in_interval),
  };
}

/** A row of a table for each row that has pairs. */
export function rowsOf(
  rows: readonly AccuracyRow[],
  stage: Stage,
  metric: Metric,
  nameOf: (row: AccuracyRow) => string = (row) => row.value,
): ErrorsBy[] {
  return rows.flatMap((row) => {
    const errors = errorsOfView(row.stages[stage]?.[metric]);
    return errors === null ? [] : { value: nameOf(row), errors };
  });
}

/** Pairs of one metric as a scatter shows them; the sides state no intervals. */
export function pairsOfResults(pairs: readonly ComparedPair[], metric: ResultMetric): Pair[] {
  return pairs.flatMap((pair, index) => {
    const figures = pair.figures[metric];
    if (!figures) return [];
    const { predicted, actual, error } = figures;
    return {
      index,
      candidate: pair.candidate ?? pair.layout,
      load: pair.load,
      source: pair.actual_source,
      predicted,
      low: predicted,
      high: predicted,
      actual,
      error: error / 100,
    };
  });
}

/** A step of the learning curve: its median error at each stage, percent; null where there is none. */
export interface LearningStep {
  launches: number;
  base: number | null;
  calibrated: number | null;
}

export function learningSteps(rows: readonly AccuracyRow[], metric: Metric): LearningStep[] {
  return rows.flatMap(({ value, stages }) => {
    const base = stages.base?.[metric]?.median_ape ?? null;
    const calibrated = stages.calibrated?.[metric]?.median_ape ?? null;
    return base === null && calibrated === null
      ? []
      : { launches: Number(value), base, calibrated };
  });
}
