/** Lists of tasks that were read before, kept true by what happens, without reading them again. */

import type { InfiniteData } from "@tanstack/react-query";
import type { SortName, TaskFilter, TaskItem, TaskPage } from "./tasks";

export type TaskList = InfiniteData<TaskPage, string | null>;

type Position = string | number;

const POSITIONS: Record<string, (task: TaskItem) => Position> = {
  created_at: (task) => Date.parse(task.created_at),
  updated_at: (task) => Date.parse(task.updated_at),
  name: (task) => task.name,
  status: (task) => task.status,
};

/** Whether the service would list the task under this filter. */
export function matches(task: TaskItem, filter: TaskFilter): boolean {
  const among = (value: string, names: readonly string[] | undefined) =>
    !names || names.length === 0 || names.includes(value);
  const text = filter.search?.toLowerCase() ?? "";
  return (
    among(task.status, filter.status) &&
    among(task.model, filter.model) &&
    among(task.engine, filter.engine) &&
    among(task.origin, filter.origin) &&
    [task.name, task.description, task.model].some((part) => part.toLowerCase().includes(text))
  );
}

/** Which of two tasks comes first in an order; their numbers decide between equals. */
export function inOrder(sort: SortName): (one: TaskItem, other: TaskItem) => number {
  const direction = sort.startsWith("-") ? -1 : 1;
  const position = POSITIONS[sort.replace("-", "")] ?? (() => 0);
  return (one, other) => {
    const [here, there] = [position(one), position(other)];
    const difference = here < there ? -1 : here > there ? 1 : one.id - other.id;
    return direction * difference;
  };
}

/** Whether a task was read before the other one. */
export const isOlder = (task: TaskItem, other: TaskItem): boolean => task.revision < other.revision;

/**
 * The list once a task stands as given.
 *
 * A row keeps its place while one reads it; it goes where the filter no longer holds, and comes in
 * where it belongs to what was read so far. The same list where nothing in it changes.
 */
export function withTask(list: TaskList, filter: TaskFilter, task: TaskItem): TaskList {
  const listed = list.pages.flatMap((page) => page.items).find((row) => row.id === task.id);
  if (listed && isOlder(task, listed)) return list;
  const isListed = listed !== undefined;
  const belongs = matches(task, filter);
  if (isListed && belongs) {
    return changed(list, (row) => (row.id === task.id ? { ...row, ...task } : row), 0);
  }
  if (isListed) return withoutTasks(list, new Set([task.id]));
  return belongs ? withNewRow(list, filter, task) : list;
}

/** The list without those tasks. */
export function withoutTasks(list: TaskList, ids: ReadonlySet<number>): TaskList {
  const gone = list.pages.flatMap((page) => page.items).filter((row) => ids.has(row.id)).length;
  if (gone === 0) return list;
  return changed(list, (row) => (ids.has(row.id) ? null : row), -gone);
}

function withNewRow(list: TaskList, filter: TaskFilter, task: TaskItem): TaskList {
  const compare = inOrder(filter.sort ?? "-created_at");
  const index = list.pages.findIndex((page) => page.items.some((row) => compare(task, row) < 0));
  const isWhole = !list.pages.at(-1)?.next_cursor;
  if (index < 0 && !isWhole) return list;
  const at = index < 0 ? list.pages.length - 1 : index;
  // Of a list in the order of changes, a row that comes up may have stood further down.
  const isOneMore = isWhole || !filter.sort?.includes("updated_at");
  const pages = list.pages.map((page, number) => ({
    ...page,
    total: page.total + (isOneMore ? 1 : 0),
    items: number === at ? inserted(page.items, task, compare) : page.items,
  }));
  return { ...list, pages };
}

function inserted(
  rows: TaskItem[],
  task: TaskItem,
  compare: (one: TaskItem, other: TaskItem) => number,
): TaskItem[] {
  const index = rows.findIndex((row) => compare(task, row) < 0);
  return index < 0 ? [...rows, task] : rows.toSpliced(index, 0, task);
}

function changed(
  list: TaskList,
  change: (row: TaskItem) => TaskItem | null,
  more: number,
): TaskList {
  const pages = list.pages.map((page) => ({
    ...page,
    total: page.total + more,
    items: page.items.map(change).filter((row) => row !== null),
  }));
  return { ...list, pages };
}
