/** Facts that forms choose from: models, GPUs, engines, devices, workloads, goals, the task's schema. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";

export type ModelSummary = Schemas["ModelSummary"];
export type GpuSummary = Schemas["GpuView"];
export type EngineSummary = Schemas["EngineSummary"];
export type DeviceSummary = Schemas["DeviceView"];
export type Workload = Schemas["WorkloadView"];
export type Goal = Schemas["GoalView"];

/** The catalog changes with the service's version only. */
const RARELY_MS = 600_000;

export const modelsQuery = queryOptions({
  queryKey: ["catalog", "models"],
  queryFn: async () => (await bodyOf(client.GET("/api/v2/catalog/models"))).items,
  staleTime: RARELY_MS,
});

/** The model with which a task can begin at once: its file is on the service's machine. */
export function modelAtHand(models: readonly ModelSummary[]): ModelSummary | null {
  return models.find((model) => model.is_here) ?? null;
}

export const gpusQuery = queryOptions({
  queryKey: ["catalog", "gpus"],
  queryFn: async () => (await bodyOf(client.GET("/api/v2/catalog/gpus"))).items,
  staleTime: RARELY_MS,
});

export const enginesQuery = queryOptions({
  queryKey: ["catalog", "engines"],
  queryFn: async () => (await bodyOf(client.GET("/api/v2/engines/"))).items,
  staleTime: RARELY_MS,
});

export const devicesQuery = queryOptions({
  queryKey: ["devices"],
  queryFn: async () => (await bodyOf(client.GET("/api/v2/system/devices"))).items,
});

export const workloadsQuery = queryOptions({
  queryKey: ["catalog", "workloads"],
  queryFn: async () => (await bodyOf(client.GET("/api/v2/catalog/workloads"))).items,
  staleTime: RARELY_MS,
});

export const goalsQuery = queryOptions({
  queryKey: ["catalog", "goals"],
  queryFn: async () => (await bodyOf(client.GET("/api/v2/catalog/goals"))).items,
  staleTime: RARELY_MS,
});

/** What the service accepts. */
export const limitsQuery = queryOptions({
  queryKey: ["system", "limits"],
  queryFn: () => bodyOf(client.GET("/api/v2/system/limits")),
  staleTime: RARELY_MS,
});

/** Kind of a failure -> what helps. */
export const remediesQuery = queryOptions({
  queryKey: ["catalog", "failures"],
  queryFn: async () => {
    const { items } = await bodyOf(client.GET("/api/v2/catalog/failures"));
    return new Map(items.map(({ kind, remedy }) => [kind, remedy]));
  },
  staleTime: RARELY_MS,
});

export const taskSchemaQuery = queryOptions({
  queryKey: ["schema", "task"],
  queryFn: () => bodyOf(client.GET("/api/v2/schema/task")),
  staleTime: RARELY_MS,
});
