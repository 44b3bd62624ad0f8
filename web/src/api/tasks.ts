/** Tasks: reading them, and everything that can be done to them. */

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";

export type TaskItem = Schemas["TaskItem"];
export type Task = Schemas["TaskView"];
export type TaskDocument = Schemas["TaskConfig"];
export type Action = TaskItem["allowed_actions"][number];
export type Status = TaskItem["status"];
export type SortName =
  | "-created_at"
  | "created_at"
  | "-updated_at"
  | "updated_at"
  | "name"
  | "-name"
  | "status"
  | "-status";

export interface TaskFilter {
  search?: string;
  status?: Status[];
  model?: string[];
  engine?: string[];
  origin?: TaskItem["origin"][];
  sort?: SortName;
}

const PAGE_ROWS = 200;

export const tasksQuery = (filter: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: ["tasks", filter],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      bodyOf(
        client.GET("/api/v2/tasks/", {
          params: { query: { ...filter, limit: PAGE_ROWS, cursor: pageParam } },
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
  });

export const taskQuery = (id: number) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: () =>
      bodyOf(client.GET("/api/v2/tasks/{task_id}", { params: { path: { task_id: id } } })),
  });

/** A task that the service refuses does not exist yet: the problem names every field. */
export async function createTask(
  document: TaskDocument,
  start: boolean,
  key: string,
): Promise<Task> {
  return bodyOf(
    client.POST("/api/v2/tasks/", {
      params: { query: { start }, header: { "Idempotency-Key": key } },
      body: document,
    }),
  );
}

/** Changes a task unless somebody else did since it was read. */
export async function changeTask(
  id: number,
  patch: Schemas["TaskPatch"],
  etag: string | null,
): Promise<Task> {
  return bodyOf(
    client.PATCH("/api/v2/tasks/{task_id}", {
      params: { path: { task_id: id }, header: { "if-match": etag } },
      body: patch,
    }),
  );
}

export async function act(id: number, action: Action): Promise<Task> {
  const params = { path: { task_id: id } };
  switch (action) {
    case "start":
      return bodyOf(client.POST("/api/v2/tasks/{task_id}/start", { params }));
    case "cancel":
      return bodyOf(client.POST("/api/v2/tasks/{task_id}/cancel", { params }));
    case "pause":
      return bodyOf(client.POST("/api/v2/tasks/{task_id}/pause", { params }));
    case "resume":
      return bodyOf(client.POST("/api/v2/tasks/{task_id}/resume", { params }));
    case "restart":
      return bodyOf(client.POST("/api/v2/tasks/{task_id}/restart", { params }));
  }
}

export async function cloneTask(id: number, name?: string): Promise<Task> {
  return bodyOf(
    client.POST("/api/v2/tasks/{task_id}/clone", {
      params: { path: { task_id: id } },
      body: name === undefined ? null : { name },
    }),
  );
}

export async function deleteTask(id: number): Promise<void> {
  await bodyOf(client.DELETE("/api/v2/tasks/{task_id}", { params: { path: { task_id: id } } }));
}
