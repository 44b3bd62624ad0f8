/** What the list of tasks shows, as it stands in the address. */

import type { SortName, Status, TaskFilter } from "~/api/tasks";

export interface TaskListSearch {
  q?: string;
  status?: Status[];
  engine?: string[];
  sort?: SortName;
}

const SORTS: readonly string[] = [
  "-created_at",
  "created_at",
  "-updated_at",
  "updated_at",
  "name",
  "-name",
  "status",
  "-status",
];
const STATUSES: readonly string[] = [
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
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  const status = texts(given.status).filter((name) => STATUSES.includes(name)) as Status[];
  const engine = texts(given.engine);
  const sort = SORTS.includes(String(given.sort)) ? (given.sort as SortName) : undefined;
  return {
    ...(given.q ? { q: String(given.q).slice(0, 200) } : {}),
    ...(status.length > 0 ? { status } : {}),
    ...(engine.length > 0 ? { engine } : {}),
    ...(sort ? { sort } : {}),
  };
}

export function filterOf(search: TaskListSearch): TaskFilter {
  return {
    ...(search.q ? { search: search.q } : {}),
    ...(search.status ? { status: search.status } : {}),
    ...(search.engine ? { engine: search.engine } : {}),
    sort: search.sort ?? "-created_at",
  };
}
