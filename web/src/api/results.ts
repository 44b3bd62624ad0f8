/** Results of a task as a whole: the recommended point, the search, the configuration. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import { jsonOf, saveFile, textOf } from "./reading";

export type Recommended = NonNullable<Schemas["FrontierView"]["recommended"]>;
export type Verdict = "meets" | "unclear" | "misses";

export interface Figure {
  value: number;
  /** Ends of the interval; null where there is none. */
  low: number | null;
  high: number | null;
}

/** What the recommended point's figures, intervals and remarks are. */
export interface RecommendedFigures {
  id: string;
  figures: Record<string, Figure | null>;
  note: string;
}

interface FrontierPoints {
  items: RecommendedFigures[];
  recommended_id: string | null;
  recommended?: RecommendedFigures | null;
}

export const recommendedQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["summary", taskId, "recommended"],
    queryFn: async (): Promise<Recommended | null> =>
      (
        await bodyOf(
          client.GET("/api/v2/tasks/{task_id}/frontier", {
            params: { path: { task_id: taskId }, query: { kind: "actual" } },
          }),
        )
      ).recommended,
  });

/** Intervals of the recommended point; null where the service does not give them. */
export const recommendedFiguresQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["summary", taskId, "recommended-figures"],
    queryFn: async (): Promise<RecommendedFigures | null> => {
      const found = await jsonOf<FrontierPoints>(
        `/api/v2/tasks/${taskId}/points?kind=measured&on_frontier=true`,
      );
      const listed = found.items.find((point) => point.id === found.recommended_id);
      return found.recommended ?? listed ?? null;
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
      const { search } = await bodyOf(
        client.GET("/api/v2/tasks/{task_id}/summary", { params: { path: { task_id: taskId } } }),
      );
      return { measure: search?.measure ?? "hypervolume", launches: search?.launches ?? [] };
    },
  });

export type SettingOrigin = "engine" | "base" | "profile" | "user";

export interface LayerOfField {
  layer: string;
  origin: SettingOrigin;
  value: unknown;
  status: "set" | "replaced" | "dropped" | "unknown";
  why: string;
  source: string;
}

export interface FieldOfConfiguration {
  value: unknown;
  /** What each layer says of it, in order; the last one that is `set` counts. */
  layers: LayerOfField[];
  /** Why it is not set: what applies instead. */
  unset: string | null;
}

export interface ConfigurationVariant {
  engine: string;
  engine_version: string;
  /** Settings that tell this variant from the others. */
  combination: Record<string, unknown>;
  fields: Record<string, FieldOfConfiguration>;
  skipped: { layer: string; reason: string }[];
  warnings: string[];
}

export const configurationQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["configuration", taskId],
    queryFn: async () =>
      (await jsonOf<{ variants: ConfigurationVariant[] }>(`/api/v2/tasks/${taskId}/configuration`))
        .variants,
  });

export type ExportForm = "json" | "csv" | "landscape" | "shell" | "yaml";
const ENDINGS: Record<ExportForm, string> = {
  json: "json",
  csv: "csv",
  landscape: "landscape.csv",
  shell: "sh",
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
