/** What deploys the engine of a task's point: formats, points, files. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import { saveFile } from "./reading";

export type Exports = Schemas["ExportsView"];
export type ExportFormat = Schemas["ExportFormatView"];
export type ExportFile = Schemas["ExportFileView"];

/** What is wished beside the format; null where the service chooses. */
export interface ExportWishes {
  point: string | null;
  replicas: number | null;
  /** Requests per second that the replicas are to hold, in place of their number. */
  rate: number | null;
  /** Users at once, in place of both. */
  users: number | null;
  image: string | null;
  /** Words that start the engine in its image. */
  program: string | null;
  /** Whether requests must carry a key. */
  apiKey: boolean;
}

const asked = ({ point, replicas, rate, users, image, program, apiKey }: ExportWishes) => ({
  point: point ?? undefined,
  replicas: replicas ?? undefined,
  rate: rate ?? undefined,
  users: users ?? undefined,
  image: image || undefined,
  program: program || undefined,
  requires_key: apiKey || undefined,
});

/** Points of a task, and which formats fit the engine of one of them. */
export const exportsQuery = (taskId: number, wishes: ExportWishes) =>
  queryOptions({
    queryKey: ["exports", taskId, wishes],
    queryFn: ({ signal }) => {
      const params = { path: { task_id: taskId }, query: asked(wishes) };
      return bodyOf(client.GET("/api/v2/tasks/{task_id}/exports", { params, signal }));
    },
    retry: false,
  });

/** The files of one format. */
export const exportFilesQuery = (
  taskId: number,
  form: string,
  version: string | null,
  wishes: ExportWishes,
) =>
  queryOptions({
    queryKey: ["export-files", taskId, form, version, wishes],
    queryFn: ({ signal }) => {
      const query = { ...asked(wishes), target_version: version ?? undefined };
      const params = { path: { task_id: taskId, form }, query };
      return bodyOf(client.GET("/api/v2/tasks/{task_id}/exports/{form}", { params, signal }));
    },
    retry: false,
  });

/** Saves the files: the one that there is, or a zip of several. */
export function saveDeployment(
  taskId: number,
  form: string,
  version: string | null,
  wishes: ExportWishes,
  files: readonly ExportFile[],
): Promise<void> {
  const given = Object.entries({ ...asked(wishes), target_version: version ?? undefined });
  const query = new URLSearchParams(
    given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
  const only = files.length === 1 ? files[0]?.name : undefined;
  return saveFile(
    `/api/v2/tasks/${taskId}/export/${form}?${query}`,
    only ?? `task-${taskId}-${form}.zip`,
  );
}
