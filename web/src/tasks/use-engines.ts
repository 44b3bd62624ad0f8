import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import type { TaskItem, TaskPage } from "~/api/tasks";

/**
 * Engines that a list can be narrowed to: those of any task that was read, and those chosen.
 *
 * A task that compares engines has all of them as one name, so that the list of engines alone
 * would find fewer tasks.
 */
export function useEngines(rows: readonly TaskItem[], chosen: readonly string[]): string[] {
  const queries = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows stand for what is cached with them.
  return useMemo(() => {
    const lists = queries.getQueriesData<InfiniteData<TaskPage>>({ queryKey: ["tasks"] });
    const read = lists.flatMap(([, list]) => list?.pages.flatMap((page) => page.items) ?? []);
    return [...new Set([...read.map((task) => task.engine), ...chosen])].sort();
  }, [queries, rows, chosen]);
}
