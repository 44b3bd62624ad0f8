/** Which log is shown, as it stands in the address. */

export interface LogSearch {
  /** The engine's log in place of the task's own. */
  of?: "engine";
  /** Of this launch; of each in turn where it is left out. */
  experiment?: number;
  q?: string;
}

export function logSearch(given: Record<string, unknown>): LogSearch {
  const experiment = Number(given.experiment);
  return {
    ...(given.of === "engine" ? { of: "engine" as const } : {}),
    ...(Number.isSafeInteger(experiment) && experiment > 0 ? { experiment } : {}),
    ...(given.q ? { q: String(given.q).slice(0, 200) } : {}),
  };
}
