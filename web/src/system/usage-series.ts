/** Samples of the machine as lines over time. */

import type { UsageList } from "~/api/system";

export interface Series {
  id: string;
  title: string;
  /** Product that it is of; empty of the machine itself. */
  product: string;
  /** Value of each sample in share of the most that there can be; null where it is not known. */
  shares: readonly (number | null)[];
  /** Amounts of now, in the unit of the series. */
  now: number | null;
  most: number;
  unit: "%" | "GiB";
}

type Sample = UsageList["items"][number];

const MOST_SAMPLES = 360;

/**
 * Samples at even steps of time up to the newest of any machine; null for each step at which this
 * one has none.
 */
export function evenly({ items, every_s, newest_at }: UsageList): (Sample | null)[] {
  const found: (Sample | null)[] = [];
  const stepsTo = (fromMs: number, toMs: number) =>
    Math.min(Math.round((toMs - fromMs) / (1_000 * every_s)), MOST_SAMPLES);
  let beforeMs: number | null = null;
  for (const sample of items) {
    const atMs = Date.parse(sample.at);
    const steps = beforeMs === null ? 1 : stepsTo(beforeMs, atMs);
    for (let missing = 1; missing < steps; missing += 1) found.push(null);
    found.push(sample);
    beforeMs = atMs;
  }
  const silent = beforeMs === null ? 0 : stepsTo(beforeMs, Date.parse(newest_at));
  for (let missing = 0; missing < silent; missing += 1) found.push(null);
  return found.slice(-MOST_SAMPLES);
}

/** CPUs and memory, then use and memory of each GPU. */
export function seriesOf(usage: UsageList): Series[] {
  const items = evenly(usage);
  const newest = usage.items.at(-1);
  if (!newest) return [];
  const found = [
    percentSeries(
      "cpu",
      "CPU",
      items.map((sample) => sample?.cpu_percent ?? null),
    ),
    memorySeries("memory", "Memory", newest.memory_gib, items.map(usedMemory)),
  ];
  for (const { index, name, memory_gib } of newest.gpus) {
    const samples = items.map((sample) => sample?.gpus.find((gpu) => gpu.index === index));
    const ofGpu = [
      percentSeries(
        `gpu-${index}`,
        `GPU ${index}`,
        samples.map((gpu) => gpu?.use_percent ?? null),
      ),
      memorySeries(
        `gpu-${index}-memory`,
        `Memory of GPU ${index}`,
        memory_gib,
        samples.map((gpu) => gpu?.memory_used_gib ?? null),
      ),
    ];
    found.push(...ofGpu.map((series) => ({ ...series, product: name })));
  }
  return found;
}

const usedMemory = (sample: Sample | null) => sample?.memory_used_gib ?? null;

function percentSeries(id: string, title: string, values: (number | null)[]): Series {
  const shares = values.map((value) => (value === null ? null : value / 100));
  return { id, title, product: "", shares, now: values.at(-1) ?? null, most: 100, unit: "%" };
}

function memorySeries(id: string, title: string, most: number, used: (number | null)[]): Series {
  const shares = used.map((value) => (value === null || most <= 0 ? null : value / most));
  return { id, title, product: "", shares, now: used.at(-1) ?? null, most, unit: "GiB" };
}

/** Lines of an SVG, broken where nothing is known; shares beyond 0 to 1 stay within the box. */
export function linesOf(shares: readonly (number | null)[], width: number, height: number): string {
  const step = shares.length > 1 ? width / (shares.length - 1) : 0;
  let isDrawn = false;
  const parts = shares.map((share, index) => {
    if (share === null) {
      isDrawn = false;
      return "";
    }
    const y = height * (1 - Math.min(1, Math.max(0, share)));
    const verb = isDrawn ? "L" : "M";
    isDrawn = true;
    return `${verb}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  return parts.filter(Boolean).join(" ");
}

/** The largest share of all; null where nothing is known. */
export function peakOf(shares: readonly (number | null)[]): number | null {
  const known = shares.filter((share) => share !== null);
  return known.length === 0 ? null : Math.max(...known);
}
