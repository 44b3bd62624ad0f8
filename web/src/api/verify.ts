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

/** Address from which the browser saves every pair as CSV, however many there are. */
export function pairsAddress(sides: Sides): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(sides)) {
    for (const one of [value].flat()) query.append(name, String(one));
  }
  return `/api/v2/verify/comparison/pairs?${query}`;
}

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

/** A format that is read; null where it is to be detected. */
export type ResultFormat = Schemas["PlacedResults"]["format"];

/** A file, or all files of one run of a tool. */
export async function uploadResults(
  files: readonly File[],
  format: ResultFormat,
): Promise<ResultFile> {
  const params = { query: format ? { format } : {} };
  const how = { params, body: { file: [] }, bodySerializer: formOf(...files) };
  return bodyOf(client.POST("/api/v2/verify/files", how));
}

/** A copy of results that lie on the service's machine. */
export async function readPlacedResults(path: string, format: ResultFormat): Promise<ResultFile> {
  return bodyOf(client.POST("/api/v2/verify/files/placed", { body: { path, format } }));
}

export async function forgetResults(id: string): Promise<void> {
  const params = { path: { file_id: id } };
  await bodyOf(client.DELETE("/api/v2/verify/files/{file_id}", { params }));
}
