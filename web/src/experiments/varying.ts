import type { Experiment } from "~/api/experiments";

/** Settings in which the launches differ; those that all share say nothing of a step. */
export function varying(experiments: readonly Experiment[]): string[] {
  const first = experiments[0];
  if (first === undefined) return [];
  const paths = new Set(experiments.flatMap((one) => Object.keys(one.settings)));
  const text = (experiment: Experiment, path: string) => JSON.stringify(experiment.settings[path]);
  return [...paths].filter((path) =>
    experiments.some((one) => text(one, path) !== text(first, path)),
  );
}
