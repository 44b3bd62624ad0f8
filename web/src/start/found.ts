/** What was found on this machine, in words. */

import type { DeviceSummary, EngineSummary, ModelSummary } from "~/api/catalog";
import { counted, gibibytes } from "~/ui/format";

/** Devices of all machines: "2 × h100_sxm, 80 GiB each", "CPU with 16 cores, 62.8 GiB". */
export function devicesInWords(devices: readonly DeviceSummary[]): string[] {
  const lines = devices.map(({ kind, name, count, memory_gib: memory, host }) => ({
    host,
    text:
      kind === "gpu"
        ? `${count} × ${name}${memory === null ? "" : `, ${gibibytes(memory)} each`}`
        : `CPU with ${counted(count, "core")}${memory === null ? "" : `, ${gibibytes(memory)}`}`,
  }));
  const hosts = new Set(lines.map(({ host }) => host));
  // A machine is the service's own and a worker's too.
  return [...new Set(lines.map(({ host, text }) => (hosts.size > 1 ? `${host}: ${text}` : text)))];
}

export function enginesFound(engines: readonly EngineSummary[]): EngineSummary[] {
  return engines.filter(({ found, problem }) => found && !problem);
}

/** The model with which a task can begin at once: its file comes with a package. */
export function modelAtHand(models: readonly ModelSummary[]): ModelSummary | null {
  return models.find((model) => model.package !== null) ?? null;
}

/** Tasks of version 1 that are not tasks of version 2 yet. */
export function waitingInWords(waiting: number): string {
  return `${counted(waiting, "task of version 1 waits", "tasks of version 1 wait")} here.`;
}
