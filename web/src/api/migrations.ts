/** Tasks of version 1: those that wait, files that are brought along, and what was moved. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import { formOf } from "./uploads";

export type MigratedTask = Schemas["MigratedTask"];
export type MigrationNote = Schemas["MigrationNote"];
export type Migration = Schemas["MigrationView"];
export type MovedComparison = Schemas["MovedComparisonView"];
export type UndoneMigration = Schemas["UndoneMigration"];
export type WaitingTask = Schemas["WaitingTask"];

/** Report of a database: kinds of rows by outcome, rows by table, and what one has to look at. */
export interface DatabaseReport {
  /** Number of the migration; absent of one that is only looked at. */
  migration?: number;
  units: Record<string, Record<string, number>>;
  rows: Record<string, number>;
  notes: Record<MigrationNote["outcome"], number>;
  untranslated: string[];
  drafts: string[];
  /** Reason -> experiments that succeeded with metrics that become no measurement. */
  unmeasured: Record<string, number>;
  kept_cells: number;
  kept: string[];
}

export type MigratedFile =
  | { kind: "task"; task: MigratedTask }
  | { kind: "database"; report: DatabaseReport };

/** Tasks that one request migrates at most. */
export const AT_ONCE = 20;
const PAGE_ROWS = 100;
/** Files are sent anew with each question, so answers are kept while the page is open. */
const keyOf = (file: File) => [file.name, file.size, file.lastModified] as const;

export const waitingQuery = queryOptions({
  queryKey: ["migrations", "waiting"],
  queryFn: ({ signal }) => readWaiting(0, signal),
});

export async function readWaiting(after: number, signal?: AbortSignal) {
  const query = { after, limit: PAGE_ROWS };
  return bodyOf(client.GET("/api/v2/migrations/waiting", { params: { query }, signal }));
}

export const migrationsQuery = queryOptions({
  queryKey: ["migrations", "moved"],
  queryFn: async ({ signal }) =>
    (await bodyOf(client.GET("/api/v2/migrations/", { signal }))).items,
});

/**
 * A task of version 1 beside what it becomes.
 *
 * @param engine of tasks whose runtime names none; null leaves it open.
 * @param file the database that has it, where that is not the service's own.
 */
export const previewQuery = (id: number, engine: string | null, file: File | null) =>
  queryOptions({
    queryKey: [...(file ? ["v1-file", keyOf(file)] : ["migrations"]), "preview", id, engine],
    ...(file && { staleTime: Number.POSITIVE_INFINITY }),
    queryFn: ({ signal }) =>
      bodyOf(
        file
          ? client.POST("/api/v2/tasks/migrate/upload/tasks/{source_task_id}", {
              params: { path: { source_task_id: id }, query: { engine } },
              body: { file: "" },
              bodySerializer: formOf(file),
              signal,
            })
          : client.POST("/api/v2/tasks/migrate/{task_id}", {
              params: { path: { task_id: id }, query: { preview: true, engine } },
              signal,
            }),
      ),
  });

export async function migrateTasks(ids: number[], engine: string | null) {
  const params = { query: { engine } };
  return bodyOf(client.POST("/api/v2/tasks/migrate", { params, body: { ids } }));
}

/** A file of version 1; with `preview` nothing is written. */
export async function uploadFile(
  file: File,
  engine: string | null,
  preview: boolean,
): Promise<MigratedFile> {
  const params = { query: { preview, engine } };
  const answer = client.POST("/api/v2/tasks/migrate/upload", {
    params,
    body: { file: "" },
    bodySerializer: formOf(file),
  });
  return (await bodyOf(answer)) as unknown as MigratedFile;
}

/** Which tasks of a file: those that a text finds, behind the first `offset` of them. */
export interface FileSearch {
  text: string;
  offset: number;
}

/** Tasks of a file that one answer has at most. */
export const PAGE_OF_FILE = 10;

export const fileTasksQuery = (file: File, { text, offset }: FileSearch) =>
  queryOptions({
    queryKey: ["v1-file", keyOf(file), "tasks", text, offset],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => {
      const query = { search: text, offset, limit: PAGE_OF_FILE };
      return bodyOf(
        client.POST("/api/v2/tasks/migrate/upload/tasks", {
          params: { query },
          body: { file: "" },
          bodySerializer: formOf(file),
          signal,
        }),
      );
    },
  });

/** Compares every value of a database of version 1 with what is here. */
export async function compareFile(file: File): Promise<MovedComparison> {
  return bodyOf(
    client.POST("/api/v2/migrations/verify", { body: { file: "" }, bodySerializer: formOf(file) }),
  );
}

/** What taking back would remove now: tasks may have been worked on since it was asked before. */
export const undoPreviewQuery = (id: number, force: boolean) =>
  queryOptions({
    // No part of "migrations": once it is taken back, there is nothing left to ask for.
    queryKey: ["undo-preview", id, force],
    queryFn: ({ signal }) => {
      const params = { path: { migration_id: id }, query: { force, preview: true } };
      return bodyOf(client.POST("/api/v2/migrations/{migration_id}/undo", { params, signal }));
    },
    staleTime: 0,
    gcTime: 0,
    // A task that blocks it is cancelled elsewhere.
    refetchInterval: ({ state }) => (state.data?.running.length ? 3_000 : false),
  });

export async function undoMigration(id: number, force: boolean): Promise<UndoneMigration> {
  const params = { path: { migration_id: id }, query: { force } };
  return bodyOf(client.POST("/api/v2/migrations/{migration_id}/undo", { params }));
}
