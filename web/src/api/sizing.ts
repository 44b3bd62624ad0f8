/** Replicas and GPUs for a traffic, and what they cost. */

import { queryOptions, skipToken } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import type { paths } from "./schema";

export type Sizing = Schemas["SizeView"];
export type Deployment = Schemas["DeploymentView"];
export type SizedMonth = Schemas["SizedMonthView"];
export type SizingRequest = NonNullable<
  paths["/api/v2/tasks/{task_id}/sizing"]["get"]["parameters"]["query"]
>;

export const sizingQuery = (taskId: number, asked: SizingRequest | null) =>
  queryOptions({
    // What is measured grows with the task; predictions are not made anew for each level of it.
    queryKey: isPredicted(asked)
      ? ["predicted-sizing", taskId, asked]
      : ["summary", taskId, "sizing", asked],
    queryFn:
      asked === null
        ? skipToken
        : ({ signal }) =>
            bodyOf(
              client.GET("/api/v2/tasks/{task_id}/sizing", {
                params: { path: { task_id: taskId }, query: asked },
                signal,
              }),
            ),
  });

const isPredicted = (asked: SizingRequest | null): boolean =>
  asked?.source === "predicted" || (asked?.gpu?.length ?? 0) > 0;
