/** What keeps points from the SLO, what is excluded, and what would help. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";

export type Why = Schemas["WhyView"];
export type SloEffects = Schemas["SloEffectsView"];
export type Admitted = Schemas["AdmittedView"];

export const whyQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["summary", taskId, "why"],
    queryFn: ({ signal }) =>
      bodyOf(
        client.GET("/api/v2/tasks/{task_id}/why", {
          params: { path: { task_id: taskId } },
          signal,
        }),
      ),
  });
