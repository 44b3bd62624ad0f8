/** What the comparison shows, as it stands in the address. */

import type { Dimension, Stage } from "./errors";
import { METRICS, type Metric } from "./metrics";

export interface ComparisonSearch {
  metric?: Metric;
  by?: Dimension;
  stage?: Stage;
}

const DIMENSIONS: readonly Dimension[] = ["load", "candidate", "source"];
const STAGES: readonly Stage[] = ["base", "calibrated"];

export function comparisonSearch(given: Record<string, unknown>): ComparisonSearch {
  const metric = METRICS.find((one) => one === given.metric);
  const by = DIMENSIONS.find((one) => one === given.by);
  const stage = STAGES.find((one) => one === given.stage);
  return { ...(metric && { metric }), ...(by && { by }), ...(stage && { stage }) };
}
