/** Tasks for tests: whatever a test does not speak of is as of a task that waits for its start. */

import type { TaskItem } from "./tasks";

const EARLIEST_MS = Date.parse("2026-11-01T00:00:00Z");

export function aTask(given: Partial<TaskItem> = {}): TaskItem {
  const id = given.id ?? 1;
  const created = new Date(EARLIEST_MS + id * 60_000).toISOString();
  return {
    id,
    name: `task ${id}`,
    description: "",
    status: "pending",
    stop_reason: "",
    origin: "api",
    model: "smollm2-135m",
    engine: "llamacpp",
    engine_version: "",
    device: "",
    worker: null,
    requested_action: "",
    revision: 1,
    created_at: created,
    updated_at: created,
    queued_at: null,
    started_at: null,
    ended_at: null,
    wall_s: 0,
    experiments: { total: 0, running: 0, completed: 0, failed: 0, best_throughput_tok_s: null },
    allowed_actions: ["start", "cancel"],
    launches: null,
    further_launches: null,
    left_s: null,
    best: null,
    is_replay: false,
    v1_task_id: null,
    ...given,
  };
}
