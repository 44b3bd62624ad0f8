/** What the list of tasks shows, as it stands in the address. */

import type { Origin, SortName, Status, TaskFilter } from "~/api/tasks";

export interface TaskListSearch {
  q?: string;
  status?: Status[];
  engine?: string[];
  origin?: Origin[];
  sort?: SortName;
}

export const DEFAULT_SORT: SortName = "-created_at";
export const ORIGINS: readonly Origin[] = ["api", "cli", "v1"];
const LONGEST_TEXT = 200;
const MOST_NAMES = 50;

export const SORTS: readonly SortName[] = [
  "-created_at",
  "created_at",
  "-updated_at",
  "updated_at",
  "name",
  "-name",
  "status",
  "-status",
];
export const STATUSES: readonly Status[] = [
  "pending",
  "queued",
  "running",
  "paused",
  "completed",
  "failed",
  "cancelled",
  "interrupted",
];

/** What is valid of an address that somebody may have typed. */
export function taskListSearch(given: Record<string, unknown>): TaskListSearch {
  const q = given.q === undefined || given.q === null ? "" : String(given.q).slice(0, LONGEST_TEXT);
  const status = chosen(given.status, STATUSES);
  const origin = chosen(given.origin, ORIGINS);
  const engine = texts(given.engine).slice(0, MOST_NAMES);
  const sort = SORTS.find((name) => name === given.sort && name !== DEFAULT_SORT);
  return {
    ...(q ? { q } : {}),
    ...(status.length > 0 ? { status } : {}),
    ...(engine.length > 0 ? { engine } : {}),
    ...(origin.length > 0 ? { origin } : {}),
    ...(sort ? { sort } : {}),
  };
}

export function filterOf(search: TaskListSearch): TaskFilter {
  return {
    ...(search.q ? { search: search.q } : {}),
    ...(search.status ? { status: search.status } : {}),
    ...(search.engine ? { engine: search.engine } : {}),
    ...(search.origin ? { origin: search.origin } : {}),
    sort: search.sort ?? DEFAULT_SORT,
  };
}

/** Whether it leaves tasks out. */
export function isFiltered({ q, status, engine, origin }: TaskListSearch): boolean {
  return [q, status, engine, origin].some((part) => part !== undefined);
}

function texts(value: unknown): string[] {
  const several = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return several.map((one) => String(one).slice(0, LONGEST_TEXT));
}

function chosen<T extends string>(value: unknown, names: readonly T[]): T[] {
  const given = new Set(texts(value));
  return names.filter((name) => given.has(name));
}
