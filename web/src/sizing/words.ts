/** Deployments in words. */

import type { Deployment, Sizing } from "~/api/sizing";
import { counted, fieldName, load, number, setting, withUnit } from "~/ui/format";

/** GPUs of a deployment: "6 × h100_sxm"; of a CPU its replicas share nothing that is counted. */
export const devicesOf = ({ gpus, gpu }: Pick<Deployment, "gpus" | "gpu">): string =>
  gpus === 0 ? "CPU" : `${gpus} × ${gpu}`;

/** Replicas where all is as good, and as bad, as intervals allow; null where that is the same. */
export function replicasBetween({ replicas, replicas_interval }: Deployment): string | null {
  const [least, most] = replicas_interval;
  if (most === null) return `at least ${least}`;
  return least === replicas && most === replicas ? null : `${least} to ${most}`;
}

/** What one replica holds within the limits: "12.3 requests/s at 64 in flight". */
export const heldByOne = ({ capacity }: Deployment): string =>
  `${withUnit(number(capacity.requests_per_s), "requests/s")} at ${load(capacity.load)}`;

/** Interval of what one replica holds; null where none is known. */
export function heldBetween({ capacity }: Deployment): string | null {
  const [low, high] = capacity.interval;
  return low === high ? null : `${number(low)} to ${number(high)}`;
}

/** Traffic: "40 requests/s", "200 users, 8 s between". */
export function trafficInWords({ requests_per_s, users, think_s }: Sizing["traffic"]): string {
  if (users === null) return withUnit(number(requests_per_s), "requests/s");
  const text = counted(Number(users.toFixed(1)), "user");
  return think_s ? `${text}, ${withUnit(number(think_s), "s")} between` : text;
}

/** Fields in which deployments differ: what tells one candidate from another. */
export function differing(deployments: readonly Deployment[]): string[] {
  const paths = new Set(deployments.flatMap(({ settings }) => Object.keys(settings)));
  const values = (path: string) =>
    new Set(deployments.map(({ settings }) => JSON.stringify(settings[path] ?? null)));
  return [...paths].filter((path) => values(path).size > 1 && path !== "system.gpu_type");
}

/** What tells a candidate from others: "tensor parallel 2, GEMM mode fp8"; unset fields are left out. */
export const settingsInWords = ({ settings }: Deployment, paths: readonly string[]): string =>
  paths
    .filter((path) => settings[path] !== null && settings[path] !== undefined)
    .map((path) => `${fieldName(path)} ${setting(settings[path])}`)
    .join(", ");

/** Where the figures are from, of every candidate of an answer. */
export const SOURCES = {
  measured: { word: "measured", intervals: "95 % intervals of latencies" },
  predicted: { word: "predicted", intervals: "80 % intervals" },
} as const;
