/** Launches of a task that failed. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client } from "./client";

const MOST = 500;

/** Failed launches in their order; of more than 500 the first. */
export const failedExperimentsQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["experiments", taskId, "failed"],
    queryFn: async ({ signal }) => {
      const page = await bodyOf(
        client.GET("/api/v2/tasks/{task_id}/experiments", {
          params: { path: { task_id: taskId }, query: { status: ["failed"], limit: MOST } },
          signal,
        }),
      );
      return page.items;
    },
  });
