import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useDeletedIds } from "~/actions/actions-provider";
import { type TaskFilter, type TaskItem, tasksQuery } from "~/api/tasks";

/** The tasks that a filter finds: those read so far, and how many there are. */
export function useTaskList(filter: TaskFilter) {
  const query = useInfiniteQuery(tasksQuery(filter));
  const deleted = useDeletedIds();
  const pages = query.data?.pages;
  const rows = useMemo(() => {
    const read = new Map<number, TaskItem>();
    for (const page of pages ?? []) {
      for (const row of page.items) if (!deleted.has(row.id)) read.set(row.id, row);
    }
    return [...read.values()];
  }, [pages, deleted]);
  // What is not read yet cannot be told from what is being deleted; the rows that are read can.
  const total = query.hasNextPage
    ? Math.max(rows.length + 1, (pages?.at(-1)?.total ?? 0) - deleted.size)
    : rows.length;
  return { query, rows, total };
}
