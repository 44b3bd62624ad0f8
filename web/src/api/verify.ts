/** Accuracy of predictions, and results of other programs beside tasks and their predictions. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import type { OperatingPoint } from "./points";
import { formOf } from "./uploads";

export type Accuracy = Schemas["AccuracyView"];
export type AccuracyRow = Schemas["AccuracyRowView"];
export type MetricErrors = Schemas["MetricErrorsView"];
export type ResultFile = Schemas["ResultFileView"];
export type ResultComparison = Schemas["ResultComparisonView"];
export type ComparedPair = Schemas["ComparedPairView"];
export type ComparedChoice = Schemas["ComparedChoiceView"];
export type ComparedSide = Schemas["ComparedSideView"];

/** A point of uploaded results, in the shape that points of tasks have, and what it is of. */
export type ResultPoint = OperatingPoint &
  Pick<
    Schemas["ResultPointView"],
    "model" | "workload" | "engine" | "engine_version" | "system" | "layout"
  >;
export type ResultPoints = Omit<Schemas["ResultPointsView"], "items"> & {
  items: readonly ResultPoint[];
};

export interface AccuracyFilter {
  engine?: string;
  system?: string;
  model?: string;
}

export const accuracyQuery = (filter: AccuracyFilter) =>
  queryOptions({
    queryKey: ["verify", "accuracy", filter],
    queryFn: ({ signal }) =>
      bodyOf(client.GET("/api/v2/verify/accuracy", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

/** Two sides, and what is asked of the choice between their points. */
export interface Sides {
  predicted: string;
  actual: string;
  ttft_ms?: number;
  tpot_ms?: number;
  predicted_set?: string[];
  actual_set?: string[];
}

export const comparisonOfResultsQuery = (sides: Sides) =>
  queryOptions({
    queryKey: ["verify", "comparison", sides],
    queryFn: ({ signal }) =>
      bodyOf(client.GET("/api/v2/verify/comparison", { params: { query: sides }, signal })),
  });

export const resultFilesQuery = queryOptions({
  queryKey: ["verify", "files"],
  queryFn: ({ signal }) => bodyOf(client.GET("/api/v2/verify/files", { signal })),
});

export const resultPointsQuery = (id: string) =>
  queryOptions({
    queryKey: ["verify", "points", id],
    queryFn: async ({ signal }): Promise<ResultPoints> => {
      const params = { path: { file_id: id } };
      const answer = client.GET("/api/v2/verify/files/{file_id}", { params, signal });
      return (await bodyOf(answer)) as unknown as ResultPoints;
    },
  });

/** A file, or all files of one run of a tool. */
export async function uploadResults(files: readonly File[]): Promise<ResultFile> {
  const how = { body: { file: [] }, bodySerializer: formOf(...files) };
  return bodyOf(client.POST("/api/v2/verify/files", how));
}

export async function forgetResults(id: string): Promise<void> {
  const params = { path: { file_id: id } };
  await bodyOf(client.DELETE("/api/v2/verify/files/{file_id}", { params }));
}
