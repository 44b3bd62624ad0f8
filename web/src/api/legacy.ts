/** Tasks of version 1 over its own API: listed, read, made, started and cancelled. */

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { jsonOf } from "./reading";

export const V1_STATUSES = ["pending", "running", "completed", "failed", "cancelled"] as const;
export type V1Status = (typeof V1_STATUSES)[number];

export interface LegacyRow {
  id: number;
  task_name: string;
  description: string | null;
  status: V1Status;
  base_runtime: string;
  total_experiments: number;
  successful_experiments: number;
  best_experiment_id: number | null;
  created_at: string | null;
  elapsed_time: number | null;
}

/** A task as a whole; the keys of its document stand beside those of a row. */
export type LegacyTask = LegacyRow & Record<string, unknown>;

export interface LegacyExperiment {
  id: number;
  experiment_id: number;
  parameters: Record<string, unknown> | null;
  status: string;
  error_message: string | null;
  objective_score: number | null;
  elapsed_time: number | null;
}

const PAGE_ROWS = 100;
const WATCHED_MS = 3_000;
/** Keys of a task that its sender gives; the others are version 1's own. */
const OF_DOCUMENT = [
  ...["description", "model", "base_runtime", "runtime_image_tag", "parameters", "optimization"],
  ...["benchmark", "slo", "quant_config", "parallel_config", "deployment_mode"],
  ...["clusterbasemodel_config", "clusterservingruntime_config", "metadata", "system_config"],
  ...["quantization_config", "memory_config", "scheduling_config", "advanced_tuning_config"],
  "slo_config",
] as const;

export const legacyTasksQuery = (status: V1Status | undefined) =>
  infiniteQueryOptions({
    queryKey: ["legacy", "tasks", status ?? ""],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => {
      const filter = status ? `&status_filter=${status}` : "";
      const path = `/api/tasks/?skip=${pageParam}&limit=${PAGE_ROWS}${filter}`;
      return jsonOf<LegacyRow[]>(path, { signal });
    },
    getNextPageParam: (page, _pages, skipped) =>
      page.length < PAGE_ROWS ? undefined : skipped + PAGE_ROWS,
  });

export const legacyTaskQuery = (id: number) =>
  queryOptions({
    queryKey: ["legacy", "task", id],
    queryFn: ({ signal }) => jsonOf<LegacyTask>(`/api/tasks/${id}`, { signal }),
    refetchInterval: ({ state }) => (state.data?.status === "running" ? WATCHED_MS : false),
  });

export const legacyExperimentsQuery = (id: number, isRunning: boolean) =>
  queryOptions({
    queryKey: ["legacy", "experiments", id],
    queryFn: ({ signal }) => jsonOf<LegacyExperiment[]>(`/api/experiments/task/${id}`, { signal }),
    refetchInterval: isRunning ? WATCHED_MS : false,
  });

export const legacyLogQuery = (id: number, isRunning: boolean) =>
  queryOptions({
    queryKey: ["legacy", "log", id],
    queryFn: async ({ signal }) =>
      (await jsonOf<{ logs: string }>(`/api/tasks/${id}/logs`, { signal })).logs,
    refetchInterval: isRunning ? WATCHED_MS : false,
  });

export async function actOnLegacy(id: number, action: "start" | "cancel"): Promise<LegacyTask> {
  return jsonOf(`/api/tasks/${id}/${action}`, { method: "POST" });
}

/**
 * A new pending task that says the same under another name. Metadata are of the task that has them,
 * and may hold numbers that a browser rounds.
 */
export async function cloneLegacy(task: LegacyTask, name: string): Promise<LegacyTask> {
  const { metadata: _, ...said } = documentOf(task);
  return jsonOf("/api/tasks/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...said, task_name: name }),
  });
}

/** The document of a task: what its sender gave. */
export function documentOf(task: LegacyTask): Record<string, unknown> {
  const given = OF_DOCUMENT.map((key) => [key, task[key]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== null && value !== undefined));
}
