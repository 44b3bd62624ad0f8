/** Results of a task as a whole: the recommended point, the search, the configuration. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import { saveFile, textOf } from "./reading";

export type Recommended = NonNullable<Schemas["FrontierView"]["recommended"]>;
export type RecommendedPoint = Schemas["OperatingPointView"];
export type Figure = Schemas["FigureView"];

/** Levels that were not measured in peace. */
export type Disturbance = NonNullable<Schemas["FrontierView"]["disturbance"]>;

const frontierQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["summary", taskId, "frontier"],
    queryFn: () =>
      bodyOf(
        client.GET("/api/v2/tasks/{task_id}/frontier", {
          params: { path: { task_id: taskId }, query: { kind: "actual" } },
        }),
      ),
  });

/** The point to serve with; null while nothing is measured. */
export const recommendedQuery = (taskId: number) =>
  queryOptions({
    ...frontierQuery(taskId),
    select: (found): Recommended | null => found.recommended,
  });

export type Baseline = NonNullable<Schemas["FrontierView"]["baseline"]>;
/** The recommended point beside one point of the baseline. */
export type ComparedPoints = NonNullable<Baseline["same_load"]>;
export type ComparedFigure = ComparedPoints["figures"][number];

/** The baseline and the recommended point beside it; null where nothing was launched for it. */
export const baselineQuery = (taskId: number) =>
  queryOptions({
    ...frontierQuery(taskId),
    select: (found): Baseline | null => found.baseline ?? null,
  });

export type Confirmation = NonNullable<Schemas["FrontierView"]["confirmation"]>;

/** Further launches of the recommended candidate and its rivals; null where none are wanted. */
export const confirmationQuery = (taskId: number) =>
  queryOptions({
    ...frontierQuery(taskId),
    select: (found): Confirmation | null => found.confirmation ?? null,
  });

/** Levels that were not measured in peace; null where all were. */
export const disturbanceQuery = (taskId: number) =>
  queryOptions({
    ...frontierQuery(taskId),
    select: (found): Disturbance | null => found.disturbance ?? null,
  });

/** The recommended point with the intervals of its figures; null while nothing is measured. */
export const recommendedPointQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["summary", taskId, "recommended-point"],
    queryFn: async (): Promise<RecommendedPoint | null> => {
      const params = { path: { task_id: taskId }, query: { kind: "measured", limit: 1 } } as const;
      return (await bodyOf(client.GET("/api/v2/tasks/{task_id}/points", { params }))).recommended;
    },
  });

export type LaunchStep = Schemas["LaunchView"];

/** How a task searched: each finished launch and what it added. */
export interface SearchStory {
  /** "hypervolume", or the only objective. */
  measure: string;
  launches: LaunchStep[];
}

export const searchQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["summary", taskId, "search"],
    queryFn: async (): Promise<SearchStory> => {
      const params = { path: { task_id: taskId } };
      const found = await bodyOf(client.GET("/api/v2/tasks/{task_id}/search", { params }));
      return { measure: found.measure ?? "hypervolume", launches: found.launches ?? [] };
    },
  });

export type ConfigurationVariant = Schemas["VariantView"];
export type FieldOfConfiguration = ConfigurationVariant["fields"][string];
export type LayerOfField = FieldOfConfiguration["layers"][number];
export type SettingOrigin = LayerOfField["origin"];

export const configurationQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["configuration", taskId],
    queryFn: ({ signal }) => {
      const params = { path: { task_id: taskId } };
      return bodyOf(client.GET("/api/v2/tasks/{task_id}/configuration", { params, signal }));
    },
  });

export type ExportForm = "json" | "csv" | "landscape" | "frontier" | "yaml";
const ENDINGS: Record<ExportForm, string> = {
  json: "json",
  csv: "csv",
  landscape: "landscape.csv",
  frontier: "frontier.sh",
  yaml: "yaml",
};

export const reportPath = (taskId: number): string => `/api/v2/tasks/${taskId}/report`;

/** Saves an export; a task that has nothing to export is an ApiProblem that says so. */
export function saveExport(taskId: number, form: ExportForm): Promise<void> {
  return saveFile(`/api/v2/tasks/${taskId}/export/${form}`, `task-${taskId}.${ENDINGS[form]}`);
}

/** The task's document as YAML. */
export const taskFileQuery = (taskId: number, revision: number) =>
  queryOptions({
    queryKey: ["task-file", taskId, revision],
    queryFn: () => textOf(`/api/v2/tasks/${taskId}/export/yaml`),
  });
