/** A task of version 1 beside that of version 2, for tests. */

import type { DatabaseReport, MigratedTask, WaitingTask } from "~/api/migrations";

export function aMigratedTask(given: Partial<MigratedTask> = {}): MigratedTask {
  return {
    v1_task_id: 7,
    task_id: null,
    created: false,
    v1_document: {
      parameters: { "tp-size": [1, 2] },
      base_runtime: "my-runtime",
      storage: { pvc: "models" },
    },
    document: { parallel: { tensor_parallel: [1, 2] }, system: { backend: "my-runtime" } },
    further: [],
    notes: [
      { path: "parameters.tp-size", outcome: "translated", text: "parallel.tensor_parallel" },
      { path: "base_runtime", outcome: "open", text: "say which engine it is" },
      { path: "storage", outcome: "kept", text: "where OME keeps the model" },
      { path: "experiments.3.metrics", outcome: "kept", text: "it has no raw results" },
    ],
    ...given,
  };
}

export function aWaitingTask(id: number, given: Partial<WaitingTask> = {}): WaitingTask {
  return {
    v1_task_id: id,
    name: `old ${id}`,
    status: "COMPLETED",
    base_runtime: "vllm",
    engine: "vllm",
    experiments: 12,
    created_at: "2025-11-02T10:20:30",
    ...given,
  };
}

export function aReport(given: Partial<DatabaseReport> = {}): DatabaseReport {
  const noted = { translated: 40, changed: 1, extra_args: 2, empty: 3 };
  return {
    units: { tasks: { moved: 4 }, presets: { moved: 3 } },
    rows: { tasks: 4, experiments: 8, tasks_v2: 4, experiments_v2: 8, measurements: 10 },
    notes: { ...noted, overruled: 0, kept: 5, lost: 0, open: 0 },
    untranslated: [],
    drafts: [],
    unmeasured: {},
    kept_cells: 0,
    kept: [],
    ...given,
  };
}
