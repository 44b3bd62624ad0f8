/** Tasks: reading them, and everything that can be done to them. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas, taggedBodyOf } from "./client";

/** The operating point that stands for a task in a list. */
export interface BestPoint {
  experiment_index: number;
  candidate: string;
  load: { kind: string; value: number };
  tok_s: number | null;
  tok_s_per_gpu: number | null;
  ttft_ms: number | null;
  tpot_ms: number | null;
  e2e_p90_ms: number | null;
  meets_slo: boolean | null;
}

interface Standing {
  allowed_actions: Schemas["TaskView"]["allowed_actions"];
  /** Most launches that there will be; null until it is planned. */
  launches: number | null;
  left_s: number | null;
  best: BestPoint | null;
  is_replay: boolean;
  v1_task_id: number | null;
  engine_version: string;
}

export type TaskItem = Schemas["TaskItem"] & Standing;
export type Task = Schemas["TaskView"] & Standing;
export type TaskDocument = Schemas["TaskConfig"];
export type Action = TaskItem["allowed_actions"][number];
export type Status = TaskItem["status"];
export type Origin = TaskItem["origin"];

export interface TaskPage {
  items: TaskItem[];
  next_cursor: string | null;
  /** Rows that the filter matches. */
  total: number;
}
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

const PAGE_ROWS = 200;
const FEW_PAGES = 5;

export const tasksQuery = (filter: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: ["tasks", filter],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => readTasks(filter, PAGE_ROWS, pageParam),
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
  const page = await bodyOf(client.GET("/api/v2/tasks/", { params: { query }, signal }));
  return page as TaskPage;
}

export const taskQuery = (id: number) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: async () => (await readTask(id)).task,
  });

/** A task, and the tag with which a change of this version is sent. */
export async function readTask(id: number): Promise<{ task: Task; etag: string | null }> {
  const params = { path: { task_id: id } };
  const { body, etag } = await taggedBodyOf(client.GET("/api/v2/tasks/{task_id}", { params }));
  return { task: body as Task, etag };
}

/** The task as it stands after a change. */
async function taskOf(body: Promise<Schemas["TaskView"]>): Promise<Task> {
  return (await body) as Task;
}

/** A task that the service refuses does not exist yet: the problem names every field. */
export async function createTask(
  document: TaskDocument,
  start: boolean,
  key: string,
): Promise<Task> {
  return taskOf(
    bodyOf(
      client.POST("/api/v2/tasks/", {
        params: { query: { start }, header: { "Idempotency-Key": key } },
        body: document,
      }),
    ),
  );
}

/** Changes a task unless somebody else did since it was read. */
export async function changeTask(
  id: number,
  patch: Schemas["TaskPatch"],
  etag: string | null,
): Promise<Task> {
  return taskOf(
    bodyOf(
      client.PATCH("/api/v2/tasks/{task_id}", {
        params: { path: { task_id: id }, header: { "if-match": etag } },
        body: patch,
      }),
    ),
  );
}

export async function act(id: number, action: Action): Promise<Task> {
  const params = { path: { task_id: id } };
  switch (action) {
    case "start":
      return taskOf(bodyOf(client.POST("/api/v2/tasks/{task_id}/start", { params })));
    case "cancel":
      return taskOf(bodyOf(client.POST("/api/v2/tasks/{task_id}/cancel", { params })));
    case "pause":
      return taskOf(bodyOf(client.POST("/api/v2/tasks/{task_id}/pause", { params })));
    case "resume":
      return taskOf(bodyOf(client.POST("/api/v2/tasks/{task_id}/resume", { params })));
    case "restart":
      return taskOf(bodyOf(client.POST("/api/v2/tasks/{task_id}/restart", { params })));
  }
}

export async function cloneTask(id: number, name?: string): Promise<Task> {
  return taskOf(
    bodyOf(
      client.POST("/api/v2/tasks/{task_id}/clone", {
        params: { path: { task_id: id } },
        body: name === undefined ? null : { name },
      }),
    ),
  );
}

/** Deletes a task and all that was measured for it; the request outlives the page. */
export async function deleteTask(id: number): Promise<void> {
  const params = { path: { task_id: id } };
  await bodyOf(client.DELETE("/api/v2/tasks/{task_id}", { params, keepalive: true }));
}
