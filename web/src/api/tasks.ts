/** Tasks: reading them, and everything that can be done to them. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas, taggedBodyOf } from "./client";

export type TaskItem = Schemas["TaskItem"];
export type Task = Schemas["TaskView"];
export type TaskPage = Schemas["TaskPage"];
/** The operating point that stands for a task in a list. */
export type BestPoint = NonNullable<TaskItem["best"]>;
export type TaskDocument = Schemas["TaskConfig"];
export type Action = TaskItem["allowed_actions"][number];
export type Status = TaskItem["status"];
export type Origin = TaskItem["origin"];

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
  origin?: Origin[];
  sort?: SortName;
}

const PAGE_ROWS = 100;
const FEW_PAGES = 10;

export const tasksQuery = (filter: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: ["tasks", filter],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => readTasks(filter, PAGE_ROWS, pageParam, signal),
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    // Events keep rows up to date; long lists are not worth reading again each time one looks.
    refetchOnWindowFocus: ({ state }) => (state.data?.pages.length ?? 0) <= FEW_PAGES,
  });

/** A page of tasks. */
export async function readTasks(
  filter: TaskFilter,
  limit: number,
  cursor: string | null = null,
  signal?: AbortSignal,
): Promise<TaskPage> {
  const query = { ...filter, limit, cursor };
  return bodyOf(client.GET("/api/v2/tasks/", { params: { query }, signal }));
}

export const taskQuery = (id: number) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: async ({ signal }) => (await readTask(id, signal)).task,
  });

/** A task, and the tag with which a change of this version is sent. */
export interface TaskVersion {
  task: Task;
  etag: string | null;
}

export async function readTask(id: number, signal?: AbortSignal): Promise<TaskVersion> {
  const params = { path: { task_id: id } };
  const answer = client.GET("/api/v2/tasks/{task_id}", { params, signal });
  const { body, etag } = await taggedBodyOf(answer);
  return { task: body, etag };
}

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
): Promise<TaskVersion> {
  const params = { path: { task_id: id }, header: { "if-match": etag } };
  const answer = client.PATCH("/api/v2/tasks/{task_id}", { params, body: patch });
  const { body, etag: changed } = await taggedBodyOf(answer);
  return { task: body, etag: changed };
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

/** A pending task with the same document and without results. */
export async function cloneTask(id: number, name: string): Promise<Task> {
  const params = { path: { task_id: id } };
  return bodyOf(client.POST("/api/v2/tasks/{task_id}/clone", { params, body: { name } }));
}

/** Deletes a task and all that was measured for it; the request outlives the page. */
export async function deleteTask(id: number): Promise<void> {
  const params = { path: { task_id: id } };
  await bodyOf(client.DELETE("/api/v2/tasks/{task_id}", { params, keepalive: true }));
}
