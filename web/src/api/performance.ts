/** Where the time of an operating point goes, what limits it, and what would help. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";

export type Performance = Schemas["PerformanceView"];
export type PerformancePart = Schemas["PartView"];
export type Latency = Schemas["LatencyView"];
export type ExpectedChange = Schemas["ChangeView"];
export type FigureChange = Schemas["FigureChangeView"];
export type LearntRate = Schemas["LearntRateView"];
export type Limit = PerformancePart["limit"];

/** A point: a candidate at a load level; what is left out is that of the recommended point. */
export interface AskedPoint {
  candidate?: string;
  concurrency?: number;
  rate?: number;
}

export const performanceQuery = (taskId: number, point: AskedPoint) =>
  queryOptions({
    queryKey: ["summary", taskId, "performance", point],
    queryFn: ({ signal }) =>
      bodyOf(
        client.GET("/api/v2/tasks/{task_id}/performance", {
          params: { path: { task_id: taskId }, query: point },
          signal,
        }),
      ),
  });
