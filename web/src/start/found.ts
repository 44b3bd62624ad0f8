/** What was found on this machine, in words. */

import type { DeviceSummary, EngineSummary } from "~/api/catalog";
import { counted, gibibytes } from "~/ui/format";

/** Devices of all machines: "2 × h100_sxm, 80 GiB each", "CPU with 16 cores, 62.8 GiB". */
export function devicesInWords(devices: readonly DeviceSummary[]): string[] {
  const kinds = new Map<string, DeviceSummary>();
  for (const device of devices) {
    const { kind, name, host, memory_gib: memory, count } = device;
    const key = JSON.stringify(kind === "gpu" ? [host, name, memory] : [host]);
    const before = kinds.get(key);
    // A GPU is one worker's, or nobody's; the CPU is the service's own and each worker's too.
    const all = kind === "gpu" ? (before?.count ?? 0) + count : count;
    if (before === undefined || kind === "gpu") kinds.set(key, { ...device, count: all });
  }
  const hosts = new Set(devices.map(({ host }) => host));
  return [...kinds.values()].map((device) =>
    hosts.size > 1 ? `${device.host}: ${inWords(device)}` : inWords(device),
  );
}

function inWords({ kind, name, count, memory_gib: memory }: DeviceSummary): string {
  return kind === "gpu"
    ? `${count} × ${name}${memory === null ? "" : `, ${gibibytes(memory)} each`}`
    : `CPU with ${counted(count, "core")}${memory === null ? "" : `, ${gibibytes(memory)}`}`;
}

export function enginesFound(engines: readonly EngineSummary[]): EngineSummary[] {
  return engines.filter(({ found, problem }) => found && !problem);
}

/** Tasks of version 1 that are not tasks of version 2 yet. */
export function waitingInWords(waiting: number): string {
  return `${counted(waiting, "task of version 1 is waiting", "tasks of version 1 are waiting")} here.`;
}
