/** Operating points of a task, measured and predicted, in the one shape that they have everywhere. */

import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import type { TaskEvent } from "./event-stream";

/** A figure and its interval: of 95 % where it was measured, of 80 % where it is predicted. */
export type Figure = Schemas["FigureView"];
export type Verdict = "meets" | "unclear" | "misses";

/** A candidate at one load level. */
export type OperatingPoint = Omit<Schemas["OperatingPointView"], "figures"> & {
  /** By their names, as `ui/quantities` has them. */
  figures: Readonly<Partial<Record<string, Figure | null>>>;
};

export interface TaskPoints {
  items: readonly OperatingPoint[];
  total: number;
  objectives: readonly string[];
  /** Latency -> limit in ms. */
  slo: Readonly<Record<string, number>>;
}

const PAGE_POINTS = 5_000;

/** Every point of a task. An event of a measured level adds its point without another request. */
export const pointsQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["points", taskId],
    queryFn: ({ signal }) => allPoints(taskId, signal),
    // Comparing 10,000 points with those of before costs more than drawing them anew.
    structuralSharing: false,
  });

async function allPoints(taskId: number, signal: AbortSignal): Promise<TaskPoints> {
  const items: OperatingPoint[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page: Schemas["PointPage"] = await bodyOf(
      client.GET("/api/v2/tasks/{task_id}/points", {
        params: {
          path: { task_id: taskId },
          query: { kind: "both", limit: PAGE_POINTS, cursor },
        },
        signal,
      }),
    );
    items.push(...(page.items as OperatingPoint[]));
    const { total, objectives, slo } = page;
    if (page.next_cursor === null) return { items, total, objectives, slo };
    cursor = page.next_cursor;
  }
}

/** The points with one more, which takes the place of an earlier one of the same id. */
export function withPoint(points: TaskPoints, point: OperatingPoint): TaskPoints {
  const at = points.items.findIndex(({ id }) => id === point.id);
  if (at < 0) return { ...points, items: [...points.items, point], total: points.total + 1 };
  return { ...points, items: points.items.with(at, point) };
}

/**
 * Adds the point that an event carries to those that are cached; whether nothing is left to read.
 *
 * An answer that is under way may be older than the event, and takes the place of what is cached.
 */
export function showPoint(queries: QueryClient, event: TaskEvent): boolean {
  const point = event.payload.point as OperatingPoint | null | undefined;
  if (event.kind !== "level_measured" || !point) return false;
  if (queries.isFetching({ queryKey: ["points", event.task_id] }) > 0) return false;
  queries.setQueryData<TaskPoints>(["points", event.task_id], (points) =>
    points ? withPoint(points, point) : points,
  );
  return true;
}
