/** Experiments of a task: launches with their settings, figures, predictions and failures. */

import { infiniteQueryOptions, queryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { bodyOf, client, type Schemas } from "./client";

export type SettingValue = Schemas["ExperimentItem"]["settings"][string];
export type Experiment = Schemas["ExperimentItem"];
export type ExperimentStatus = Experiment["status"];
export type ExperimentDetail = Schemas["ExperimentDetail"];
export type PredictedLevel = ExperimentDetail["predictions"][number];
export type MeasuredLevel = Schemas["MeasurementItem"];
export type Distribution = NonNullable<MeasuredLevel["ttft_ms"]>;

const PAGE_ROWS = 500;

export const experimentsQuery = (taskId: number) =>
  infiniteQueryOptions({
    queryKey: ["experiments", taskId, "pages"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      bodyOf(
        client.GET("/api/v2/tasks/{task_id}/experiments", {
          params: { path: { task_id: taskId }, query: { limit: PAGE_ROWS, cursor: pageParam } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
  });

/** All experiments of a task in the order of launch; the first ones are there before the last. */
export function useExperiments(taskId: number) {
  const query = useInfiniteQuery(experimentsQuery(taskId));
  const { hasNextPage, isFetching, fetchNextPage, isError } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, isError]);
  const experiments = useMemo(
    () => query.data?.pages.flatMap((page) => page.items) ?? [],
    [query.data],
  );
  return {
    experiments,
    isPending: query.isPending,
    isComplete: query.isSuccess && !hasNextPage,
    error: query.error,
    refetch: query.refetch,
  };
}

export const experimentQuery = (taskId: number, index: number) =>
  queryOptions({
    queryKey: ["experiments", taskId, index],
    queryFn: ({ signal }) =>
      bodyOf(
        client.GET("/api/v2/tasks/{task_id}/experiments/{index}", {
          params: { path: { task_id: taskId, index } },
          signal,
        }),
      ),
  });

export const measurementsQuery = (taskId: number, index: number) =>
  queryOptions({
    queryKey: ["experiments", taskId, index, "measurements"],
    queryFn: async ({ signal }) =>
      (
        await bodyOf(
          client.GET("/api/v2/tasks/{task_id}/experiments/{index}/measurements", {
            params: { path: { task_id: taskId, index } },
            signal,
          }),
        )
      ).items,
  });
