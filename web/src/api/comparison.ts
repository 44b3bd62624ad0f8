/** Predictions of a task beside what was measured. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";

export type TaskComparison = Schemas["ComparisonView"];
export type LevelComparison = Schemas["LevelComparisonView"];

export const comparisonQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["comparison", taskId],
    queryFn: ({ signal }) =>
      bodyOf(
        client.GET("/api/v2/tasks/{task_id}/comparison", {
          params: { path: { task_id: taskId } },
          signal,
        }),
      ),
  });
