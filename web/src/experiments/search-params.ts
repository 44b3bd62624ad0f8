/** What the list of experiments shows, as it stands in the address. */

import type { ExperimentStatus } from "~/api/experiments";

export interface ExperimentsSearch {
  q?: string;
  status?: ExperimentStatus[];
  /** A column; with `-` in front descending. */
  sort?: string;
  /** Experiments that are marked, the one that others are compared with first. */
  marked?: number[];
  /** Whether the marked ones are shown side by side. */
  diff?: boolean;
}

export const STATUSES: readonly ExperimentStatus[] = [
  "running",
  "completed",
  "failed",
  "interrupted",
];
/** More columns than these side by side are read by nobody. */
export const MOST_MARKED = 8;

export function experimentsSearch(given: Record<string, unknown>): ExperimentsSearch {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const status = STATUSES.filter((name) => list(given.status).includes(name));
  const marked = [...new Set(list(given.marked).map(Number))]
    .filter((index) => Number.isSafeInteger(index) && index > 0)
    .slice(0, MOST_MARKED);
  return {
    ...(given.q ? { q: String(given.q).slice(0, 200) } : {}),
    ...(status.length > 0 ? { status } : {}),
    ...(typeof given.sort === "string" && given.sort !== ""
      ? { sort: given.sort.slice(0, 80) }
      : {}),
    ...(marked.length > 0 ? { marked } : {}),
    ...(given.diff === true ? { diff: true } : {}),
  };
}
