/** What is compared, as it stands in the address: a link shows the same to others. */

import { readLimits, writeLimits } from "~/explorer/search-params";

export interface CompareSearch {
  /** Numbers of tasks with commas between them; the first is what the others are compared with. */
  tasks?: string;
  /** Ids of uploaded results, likewise. */
  files?: string;
  x?: string;
  y?: string;
  log?: "x" | "y" | "xy";
  /** Dots of the frontiers alone. */
  only?: "frontier";
  /** Predictions of the tasks beside what they measured. */
  with?: "predictions";
  /** Limits in place of those of the tasks. */
  slo?: string;
}

/** Series that can be distinguished on one plane. */
export const MOST_SERIES = 8;
const ID = /^[0-9a-f]{16}$/;
const AXIS = /^[a-z0-9_]{1,40}$/;
const LOGS = ["x", "y", "xy"] as const;

export function compareSearch(given: Record<string, unknown>): CompareSearch {
  const tasks = taskNumbers(String(given.tasks ?? ""));
  const files = fileIds(String(given.files ?? "")).slice(0, MOST_SERIES - tasks.length);
  const axis = (value: unknown) =>
    typeof value === "string" && AXIS.test(value) ? value : undefined;
  const [x, y] = [axis(given.x), axis(given.y)];
  const log = LOGS.find((one) => one === given.log);
  return {
    ...(tasks.length > 0 && { tasks: tasks.join(",") }),
    ...(files.length > 0 && { files: files.join(",") }),
    ...(x && { x }),
    ...(y && { y }),
    ...(log && { log }),
    ...(given.only === "frontier" && { only: "frontier" as const }),
    ...(given.with === "predictions" && { with: "predictions" as const }),
    ...(typeof given.slo === "string" && { slo: writeLimits(readLimits(given.slo)) }),
  };
}

/** The address with one task, or one file, before the others of its kind: the baseline where it is the first of all. */
export function withFirst(
  search: CompareSearch,
  { taskId, fileId }: { taskId: number | null; fileId: string | null },
): Pick<CompareSearch, "tasks" | "files"> {
  if (taskId !== null) return { tasks: firstOf(taskNumbers(search.tasks), taskId).join(",") };
  if (fileId !== null) return { files: firstOf(fileIds(search.files), fileId).join(",") };
  return {};
}

/** The address with a task, or a file, after the others of its kind. */
export function withAdded(
  search: CompareSearch,
  { taskId, fileId }: { taskId?: number; fileId?: string },
): Pick<CompareSearch, "tasks" | "files"> {
  const added = <T>(all: readonly T[], one: T) => [...new Set([...all, one])].join(",");
  return {
    ...(taskId !== undefined && { tasks: added(taskNumbers(search.tasks), taskId) }),
    ...(fileId !== undefined && { files: added(fileIds(search.files), fileId) }),
  };
}

function firstOf<T>(all: readonly T[], first: T): T[] {
  return all.includes(first) ? [first, ...all.filter((one) => one !== first)] : [...all];
}

export function taskNumbers(text: string | undefined): number[] {
  const numbers = parts(text)
    .map(Number)
    .filter((number) => Number.isSafeInteger(number) && number > 0 && number < 2 ** 31);
  return [...new Set(numbers)].slice(0, MOST_SERIES);
}

export function fileIds(text: string | undefined): string[] {
  return [...new Set(parts(text).filter((part) => ID.test(part)))];
}

const parts = (text: string | undefined) => (text ?? "").split(",").map((part) => part.trim());
