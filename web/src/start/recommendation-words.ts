/** A recommendation by prediction, in words. */

import type { Alternative, Recommendation, RecommendedByPrediction } from "~/api/recommendation";
import { fieldName, load, setting } from "~/ui/format";
import { type Quantity, quantity } from "~/ui/quantities";
import { range } from "~/ui/range";

/** Groups of settings that decide performance. */
const DECIDING = /^(parallel|quantization|scheduling|memory|attention)\./;
const DIFFERS: Record<Alternative["differs"][number], string> = {
  engine: "engine",
  layout: "parallel layout",
  formats: "number formats",
};

export interface PredictedFigure {
  name: string;
  value: number | null;
  /** 80 % interval; null where none is known. */
  range: string | null;
}

/** Fields of a candidate that decide its performance; a width of 1 says nothing. */
export const decidingFields = (settings: RecommendedByPrediction["settings"]): string[] =>
  Object.entries(settings)
    .filter(
      ([path, value]) =>
        DECIDING.test(path) &&
        path !== "memory.max_model_len" &&
        value !== null &&
        !(path.startsWith("parallel.") && value === 1),
    )
    .map(([path]) => path);

/** The same fields in words: "tensor parallel 2, GEMM mode fp8". */
export const settingsInWords = (settings: RecommendedByPrediction["settings"]): string =>
  decidingFields(settings)
    .map((path) => `${fieldName(path)} ${setting(settings[path])}`)
    .join(", ");

/** Engine, devices and load of a point: "vllm on 2 × h100_sxm, 64 in flight". */
export function placeInWords(point: RecommendedByPrediction, found: Recommendation): string {
  const devices = found.gpus === 0 ? "CPU" : `${point.gpus} × ${found.gpu}`;
  return `${point.engine} on ${devices}, ${load(point.load)}`;
}

/** Figures of a predicted point, with their intervals. */
export function figuresOf(point: RecommendedByPrediction): PredictedFigure[] {
  const { gpus, intervals, tok_s, tpot_ms } = point;
  const within = (name: string, [low, high]: readonly number[] = []) =>
    low === undefined || high === undefined ? null : between(quantity(name), low, high);
  const perGpu = (ends: readonly number[] = []) => ends.map((end) => end / gpus);
  const perUser = (ends: readonly number[] = []) => ends.map((end) => 1000 / end).reverse();
  const limited = new Map(point.limits.map((limit) => [limit.name, limit]));
  const latency = (name: "ttft_ms" | "tpot_ms") => ({
    name,
    value: point[name],
    range: within(name, limited.get(name)?.interval_ms ?? intervals[name]),
  });
  const others = point.limits.filter(({ name }) => name !== "ttft_ms" && name !== "tpot_ms");
  return [
    {
      name: "tok_s_per_gpu",
      value: tok_s / gpus,
      range: within("tok_s_per_gpu", perGpu(intervals.tok_s)),
    },
    {
      name: "tok_s_per_user",
      value: tpot_ms === null ? null : 1000 / tpot_ms,
      range: within("tok_s_per_user", perUser(intervals.tpot_ms)),
    },
    latency("ttft_ms"),
    latency("tpot_ms"),
    ...others.map(({ name, predicted_ms, interval_ms }) => ({
      name,
      value: predicted_ms,
      range: within(name, interval_ms),
    })),
    { name: "requests_per_s", value: point.requests_per_s, range: null },
    { name: "usd_per_million_tokens", value: point.usd_per_million_tokens, range: null },
  ].filter(({ value }) => value !== null);
}

const between = ({ format }: Quantity, low: number, high: number): string =>
  range(format(low), format(high));

/** In what an alternative differs: "engine, number formats"; and the data, where that is another. */
export function differsInWords(alternative: Alternative, best: RecommendedByPrediction): string {
  const words = alternative.differs.map((name) => DIFFERS[name]);
  if (alternative.kind !== best.kind) words.push(`data (${alternative.kind})`);
  return words.join(", ");
}

/** How many other kinds only a measurement tells apart from the recommended point. */
export function rivalsInWords({ measuring, meets_slo }: Recommendation): string {
  if (measuring === null) return "";
  const { rivals, kinds } = measuring;
  const others = kinds - 1;
  if (!meets_slo) {
    return `${rivals} of ${others} other kinds may meet the SLO within their intervals.`;
  }
  if (rivals === 0) {
    return `None of ${others} other kinds reaches the recommended point within its interval.`;
  }
  return `${rivals} of ${others} other kinds may be better than the recommended point within the 80 % intervals: predictions alone do not tell them apart.`;
}
