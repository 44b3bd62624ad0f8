/** Load levels of an experiment: measured, predicted, and what has to be said of each. */

import type { Distribution, MeasuredLevel, PredictedLevel } from "~/api/experiments";
import { counted, type LoadLevel, percent } from "~/ui/format";

export interface Level {
  key: string;
  load: LoadLevel;
  /** Each time that it was measured; empty where it was not. */
  measured: MeasuredLevel[];
  predicted: PredictedLevel | null;
}

const keyOf = ({ kind, value }: LoadLevel): string => `${kind}:${value}`;

/** Levels in the order of their load, those that were only predicted included. */
export function levelsOf(
  measured: readonly MeasuredLevel[],
  predicted: readonly PredictedLevel[],
): Level[] {
  const levels = new Map<string, Level>();
  const at = (load: LoadLevel): Level => {
    const key = keyOf(load);
    const found = levels.get(key) ?? { key, load, measured: [], predicted: null };
    levels.set(key, found);
    return found;
  };
  for (const one of measured) at(one.load).measured.push(one);
  for (const one of predicted) at(one.load).predicted = one;
  return [...levels.values()].sort((a, b) => a.load.value - b.load.value);
}

/** What a reader has to know of a level before its figures are believed. */
export function remarksOn(level: MeasuredLevel): string[] {
  const all = level.requests_completed + level.requests_failed;
  const { machine } = level;
  const remarks = [
    level.requests_failed > 0 && `${level.requests_failed} of ${counted(all, "request")} failed`,
    level.requests_short > 0 && `${counted(level.requests_short, "answer")} shorter than asked for`,
    level.saturated && "the engine did not keep up with this rate: latencies are lower bounds",
    level.client_bottleneck && "the load generator was late, and may have set the figures",
    machine?.busy && `the machine was busy: others used ${percent(machine.others, 0)} of its CPUs`,
    level.ended_by === "time" && "ended by its time limit",
    level.note,
  ];
  return remarks.filter((remark): remark is string => Boolean(remark));
}

/** What has to be said of every level alike; of one level alone it is said beside it. */
export function commonRemarks(levels: readonly MeasuredLevel[]): string[] {
  const [first, ...others] = levels.map(remarksOn);
  if (first === undefined || others.length === 0) return [];
  return first.filter((remark) => others.every((remarks) => remarks.includes(remark)));
}

export const LATENCIES = [
  { key: "ttft_ms", title: "TTFT" },
  { key: "tpot_ms", title: "TPOT" },
  { key: "itl_ms", title: "ITL" },
  { key: "e2e_ms", title: "E2E" },
] as const;

export type LatencyKey = (typeof LATENCIES)[number]["key"];

/** Longest latency of each kind over all levels: the scale on which they are drawn alike. */
export function scalesOf(levels: readonly Level[]): Record<LatencyKey, number> {
  const scale = (key: LatencyKey) =>
    Math.max(0, ...levels.flatMap(({ measured }) => measured.map((one) => one[key]?.max ?? 0)));
  return {
    ttft_ms: scale("ttft_ms"),
    tpot_ms: scale("tpot_ms"),
    itl_ms: scale("itl_ms"),
    e2e_ms: scale("e2e_ms"),
  };
}

export interface Strip {
  /** Shares of the scale, in percent. */
  min: number;
  p50: number;
  p90: number;
  max: number;
}

/** Places of a distribution on a scale that begins at 0. */
export function stripOf({ min, p50, p90, max }: Distribution, scaleMs: number): Strip {
  const place = (value: number) => (scaleMs > 0 ? (100 * value) / scaleMs : 0);
  return { min: place(min), p50: place(p50), p90: place(p90), max: place(max) };
}
