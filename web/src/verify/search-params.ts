/** What the page shows, as it stands in the address: a link shows the same to others. */

import type { AccuracyFilter, Sides } from "~/api/verify";
import type { Stage } from "~/comparison/errors";
import { METRICS, type Metric } from "~/comparison/metrics";

export const DIMENSIONS = ["engine", "system", "model", "load", "predictor"] as const;
export type AccuracyDimension = (typeof DIMENSIONS)[number];

export interface VerifySearch {
  engine?: string;
  system?: string;
  model?: string;
  metric?: Metric;
  by?: AccuracyDimension;
  stage?: Stage;
  predicted?: string;
  actual?: string;
  ttft?: number;
  tpot?: number;
  /** `FIELD=VALUE`, with commas between them. */
  predictedSet?: string;
  actualSet?: string;
}

const LONGEST = 300;
const LONGEST_SETTINGS = 2_000;
const SIDE = /^(file:[0-9a-f]{16}|(measured|base|calibrated):[1-9][0-9]{0,9})$/;
const STAGES: readonly Stage[] = ["base", "calibrated"];

/** What is valid of an address that somebody may have typed. */
export function verifySearch(given: Record<string, unknown>): VerifySearch {
  const found: Record<string, unknown> = {
    engine: text(given.engine),
    system: text(given.system),
    model: text(given.model),
    metric: METRICS.find((one) => one === given.metric),
    by: DIMENSIONS.find((one) => one === given.by),
    stage: STAGES.find((one) => one === given.stage),
    predicted: side(given.predicted),
    actual: side(given.actual),
    ttft: limit(given.ttft),
    tpot: limit(given.tpot),
    predictedSet: text(given.predictedSet, LONGEST_SETTINGS),
    actualSet: text(given.actualSet, LONGEST_SETTINGS),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

export function accuracyFilter({ engine, system, model }: VerifySearch): AccuracyFilter {
  return { ...(engine && { engine }), ...(system && { system }), ...(model && { model }) };
}

/** The two sides that are to be compared; null until both are chosen. */
export function sidesOf(search: VerifySearch): Sides | null {
  const { predicted, actual, ttft, tpot } = search;
  if (!predicted || !actual) return null;
  const predictedSet = settings(search.predictedSet);
  const actualSet = settings(search.actualSet);
  return {
    predicted,
    actual,
    ...(ttft && { ttft_ms: ttft }),
    ...(tpot && { tpot_ms: tpot }),
    ...(predictedSet.length > 0 && { predicted_set: predictedSet }),
    ...(actualSet.length > 0 && { actual_set: actualSet }),
  };
}

/** `tp=4, gpus=8` -> `tp=4` and `gpus=8`. */
export function settings(given: string | undefined): string[] {
  return (given ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** Kind and number or id of a side: `measured:3`, `file:…`. */
export interface SideParts {
  kind: "file" | "measured" | "base" | "calibrated";
  which: string;
}

export function sideParts(given: string | undefined): SideParts | null {
  if (given === undefined || !SIDE.test(given)) return null;
  const [kind, which] = given.split(":") as [SideParts["kind"], string];
  return { kind, which };
}

function text(value: unknown, longest = LONGEST): string | undefined {
  if (value === undefined || value === null) return undefined;
  return String(value).slice(0, longest) || undefined;
}

function side(value: unknown): string | undefined {
  return typeof value === "string" && SIDE.test(value) ? value : undefined;
}

function limit(value: unknown): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 && number <= 1e9 ? number : undefined;
}
