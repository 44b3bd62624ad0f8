/** The service itself: its machine, workers, queue, database, and who may use it. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";

export type Usage = Schemas["UsageView"];
export type UsageList = Schemas["UsageList"];
export type HealthCheck = Schemas["HealthCheck"];
export type Worker = Schemas["WorkerView"];
export type QueuedTask = Schemas["QueuedTask"];
export type LauncherSummary = Schemas["LauncherView"];
export type Container = Schemas["ContainerView"];
export type Cluster = Schemas["ClusterView"];
export type ClusterNode = Schemas["NodeView"];
export type Limits = Schemas["LimitsView"];
export type Backup = Schemas["BackupView"];
export type Token = Schemas["TokenView"];
export type MadeToken = Schemas["MadeToken"];
export type NewToken = Schemas["NewToken"];
export type TokenScope = Schemas["TokenScope"];

/** What changes by itself is asked for as often as the machine is sampled. */
const OFTEN_MS = 5_000;
const SOMETIMES_MS = 30_000;

/** How busy a machine was of late; the service's own where none is named. */
export const usageQuery = (host: string | null = null) =>
  queryOptions({
    queryKey: ["system", "usage", host],
    queryFn: ({ signal }) => {
      const params = { query: host === null ? {} : { host } };
      return bodyOf(client.GET("/api/v2/system/usage", { params, signal }));
    },
    refetchInterval: OFTEN_MS,
  });

export const queueQuery = queryOptions({
  queryKey: ["system", "queue"],
  queryFn: ({ signal }) => bodyOf(client.GET("/api/v2/system/queue", { signal })),
  refetchInterval: OFTEN_MS,
});

export const workersQuery = queryOptions({
  queryKey: ["system", "workers"],
  queryFn: async ({ signal }) =>
    (await bodyOf(client.GET("/api/v2/system/workers", { signal }))).items,
  refetchInterval: OFTEN_MS,
});

export const healthQuery = queryOptions({
  queryKey: ["system", "health"],
  queryFn: async ({ signal }) =>
    (await bodyOf(client.GET("/api/v2/system/health", { signal }))).items,
  refetchInterval: SOMETIMES_MS,
});

/** Where engines can run, and what is missing where they cannot. */
export const launchersQuery = queryOptions({
  queryKey: ["system", "launchers"],
  queryFn: async ({ signal }) =>
    (await bodyOf(client.GET("/api/v2/system/launchers", { signal }))).items,
  refetchInterval: SOMETIMES_MS,
});

/** Containers of tasks, of the daemon that the service reaches and of others. */
export const containersQuery = queryOptions({
  queryKey: ["system", "containers"],
  queryFn: ({ signal }) => bodyOf(client.GET("/api/v2/system/containers", { signal })),
  refetchInterval: OFTEN_MS,
});

/** Ray clusters that tasks use, with their nodes. */
export const rayClustersQuery = queryOptions({
  queryKey: ["system", "ray-clusters"],
  queryFn: ({ signal }) => bodyOf(client.GET("/api/v2/system/ray-clusters", { signal })),
  refetchInterval: OFTEN_MS,
});

export const systemQuery = queryOptions({
  queryKey: ["system", "service"],
  queryFn: ({ signal }) => bodyOf(client.GET("/api/v2/system/", { signal })),
});

export const versionsQuery = queryOptions({
  queryKey: ["system", "versions"],
  queryFn: ({ signal }) => bodyOf(client.GET("/api/v2/system/versions", { signal })),
});

export const backupsQuery = queryOptions({
  queryKey: ["system", "backups"],
  queryFn: async ({ signal }) =>
    (await bodyOf(client.GET("/api/v2/system/backups", { signal }))).items,
});

export async function createBackup() {
  return bodyOf(client.POST("/api/v2/system/backups"));
}

/** Deletes a backup for good. */
export async function deleteBackup(name: string): Promise<void> {
  await bodyOf(client.DELETE("/api/v2/system/backups/{name}", { params: { path: { name } } }));
}

/** Address from which the browser saves a backup, however large, without reading it first. */
export const backupAddress = (name: string) => `/api/v2/system/backups/${encodeURIComponent(name)}`;

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: async ({ signal }) => (await bodyOf(client.GET("/api/v2/tokens/", { signal }))).items,
});

export async function createToken(token: NewToken): Promise<MadeToken> {
  return bodyOf(client.POST("/api/v2/tokens/", { body: token }));
}

export async function revokeToken(name: string): Promise<Token> {
  return bodyOf(client.DELETE("/api/v2/tokens/{name}", { params: { path: { name } } }));
}
