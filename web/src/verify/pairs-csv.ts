import type { ComparedPair } from "~/api/verify";
import { csv } from "~/charts/csv";
import { RESULT_METRIC_NAMES, RESULT_METRICS } from "./errors-of";

const PLACE = ["model", "engine", "system", "candidate", "layout", "gpus", "isl", "osl"] as const;

/** A line for each pair; units stand in the names of the columns. */
export function pairsCsv(pairs: readonly ComparedPair[]): string {
  const figures = RESULT_METRIC_NAMES.flatMap((name) => {
    const unit = RESULT_METRICS[name] === "tok_s" ? "" : "_ms";
    return [`predicted_${name}${unit}`, `actual_${name}${unit}`, `${name}_error_percent`];
  });
  const header = [...PLACE, "load_kind", "load_value", ...figures, "unlike"];
  const rows = pairs.map((pair) => [
    ...PLACE.map((name) => pair[name]),
    pair.load.kind,
    pair.load.value,
    ...RESULT_METRIC_NAMES.flatMap((name) => {
      const found = pair.figures[name];
      return [found?.predicted, found?.actual, found?.error];
    }),
    pair.unlike.join("; "),
  ]);
  return csv(header, rows);
}
