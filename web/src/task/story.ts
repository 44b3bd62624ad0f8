/** The search of a task as steps to read: what each launch was for, and what came of it. */

import type { Experiment } from "~/api/experiments";
import type { LaunchStep, SearchStory } from "~/api/results";
import { counted, percent } from "~/ui/format";
import { quantity } from "~/ui/quantities";

export const HYPERVOLUME = "hypervolume";
/** Less than this share would be written as nothing. */
const LEAST_SHOWN = 0.001;

export interface StoryStep {
  index: number;
  experiment: Experiment;
  /** What the search says of it; null while it runs, or where it was left. */
  launch: LaunchStep | null;
}

/** Launches in their order, each with what the search says of it. */
export function stepsOf(
  experiments: readonly Experiment[],
  launches: readonly LaunchStep[],
): StoryStep[] {
  const byIndex = new Map(launches.map((launch) => [launch.index, launch]));
  return experiments.map((experiment) => ({
    index: experiment.index,
    experiment,
    launch: byIndex.get(experiment.index) ?? null,
  }));
}

/** What a search improves: "share of the final hypervolume", or its only objective. */
export function measureTitle(measure: string): string {
  if (measure === HYPERVOLUME) return "Share of the final hypervolume";
  return `Best ${quantity(measure).title.toLowerCase()}`;
}

export function measureText(measure: string, value: number | null): string {
  if (value === null) return "–";
  return measure === HYPERVOLUME ? percent(value) : quantity(measure).format(value);
}

/** What a launch added: "+3.1 %", "first within the SLO", "nothing". */
export function addedText(measure: string, launch: LaunchStep): string {
  if (launch.failed) return "failed";
  if (launch.added === null) return "first within the SLO";
  if (launch.added === 0) return "nothing";
  if (measure === HYPERVOLUME && launch.added < LEAST_SHOWN) return "under 0.1\u00a0%";
  const sign = measure === HYPERVOLUME || quantity(measure).better === "higher" ? "+" : "−";
  return `${sign}${measureText(measure, launch.added)}`;
}

/** What is left of a launch on the frontier as it stands: "2 points on the frontier". */
export function keptText({ failed, in_vain, added, frontier_points }: LaunchStep): string {
  if (failed) return "no result";
  if (!in_vain) return `${counted(frontier_points, "point")} on the frontier`;
  return added === 0 ? "no point on the frontier" : "overtaken: later launches beat all its points";
}

export interface StorySums {
  finished: number;
  failed: number;
  /** Launches of which the final frontier has no point. */
  inVain: number;
  /** Launches after which nothing was added any more. */
  withoutGain: number;
}

export function sumsOf({ launches }: SearchStory): StorySums {
  const lastGain = launches.findLastIndex((launch) => launch.added === null || launch.added > 0);
  return {
    finished: launches.length,
    failed: launches.filter((launch) => launch.failed).length,
    inVain: launches.filter((launch) => launch.in_vain && !launch.failed).length,
    withoutGain: launches.length - 1 - lastGain,
  };
}

export interface ErrorBeside {
  name: string;
  title: string;
  predicted: string;
  measured: string;
  /** Predicted over measured, less 1. */
  error: number | null;
}

const BESIDE = [
  { name: "tok_s", predicted: "predicted_throughput_tok_s", actual: "actual_throughput_tok_s" },
  { name: "ttft_ms", predicted: "predicted_ttft_ms", actual: "actual_ttft_ms" },
  { name: "tpot_ms", predicted: "predicted_tpot_ms", actual: "actual_tpot_ms" },
] as const;

/** Figures of a launch's representative point, as predicted and as measured; none where neither is known. */
export function besides(experiment: Experiment): ErrorBeside[] {
  return BESIDE.flatMap(({ name, predicted, actual }) => {
    const expected = experiment[predicted];
    const found = experiment[actual];
    if (expected === null && found === null) return [];
    const { short, format } = quantity(name);
    const error = expected === null || found === null || found === 0 ? null : expected / found - 1;
    return [{ name, title: short, predicted: format(expected), measured: format(found), error }];
  });
}

export interface ChartPoint {
  x: number;
  y: number;
}

/**
 * The best value after each launch as a staircase in a box of 1 by 1; y grows upwards.
 *
 * A share is drawn from 0 to 1, an objective between its least and its most.
 */
export function staircase(measure: string, launches: readonly LaunchStep[]): ChartPoint[] {
  const known = launches.flatMap((launch, place) =>
    launch.value === null ? [] : [{ place, value: launch.value }],
  );
  const first = known[0];
  if (first === undefined) return [];
  const values = known.map(({ value }) => value);
  const low = measure === HYPERVOLUME ? 0 : Math.min(...values);
  const high = measure === HYPERVOLUME ? 1 : Math.max(...values);
  const x = (place: number) => (place + 1) / launches.length;
  const y = (value: number) => (high === low ? 1 : (value - low) / (high - low));
  const corners: ChartPoint[] = [
    { x: first.place / launches.length, y: measure === HYPERVOLUME ? 0 : y(first.value) },
  ];
  for (const { place, value } of known) {
    const before = corners.at(-1) as ChartPoint;
    const begins = x(place) - 0.5 / launches.length;
    corners.push(
      { x: begins, y: before.y },
      { x: begins, y: y(value) },
      { x: x(place), y: y(value) },
    );
  }
  return corners;
}
