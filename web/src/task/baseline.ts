/** The recommended point beside the baseline, in words. */

import type { Baseline, ComparedFigure, ComparedPoints } from "~/api/results";
import { load } from "~/ui/format";

export const BASELINE_NAMES: Record<Baseline["kind"], string> = {
  defaults: "the engine's defaults",
  mine: "your settings of today",
};

/** A ratio as a change: "+38 %", "−4.1 %", "3.2 times". */
export function gain(ratio: number): string {
  if (ratio >= 3) return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)} times`;
  const change = 100 * (ratio - 1);
  const digits = Math.abs(change) >= 10 ? 0 : 1;
  const sign = change < 0 ? "−" : "+";
  return `${sign}${Math.abs(change).toFixed(digits)} %`;
}

/** How sure a difference is: "better, 99.9 %", "better with 93 %: not settled". */
export function certainty(figure: ComparedFigure): string {
  const better = figure.probability_better;
  const [word, share] = better >= 0.5 ? ["better", better] : ["worse", 1 - better];
  const percent = Math.min(100 * share, 99.9).toFixed(share >= 0.99 ? 1 : 0);
  return figure.settled === "unclear"
    ? `${word} with ${percent} %: not settled`
    : `${word}, ${percent} %`;
}

/** Each comparison with what it compares; of the SLO first. */
export function comparisons(baseline: Baseline): { title: string; points: ComparedPoints }[] {
  const { within_slo: within, same_load: same } = baseline;
  const found = [];
  if (within) {
    const best = within.baseline_meets_slo
      ? "their best level within the SLO"
      : "which miss the SLO at every level";
    const title = `Recommended at ${load(within.load)}; ${BASELINE_NAMES[baseline.kind]} at ${load(within.baseline_load)}, ${best}`;
    found.push({ title, points: within });
  }
  if (same) found.push({ title: `Both at ${load(same.load)}`, points: same });
  return found;
}
