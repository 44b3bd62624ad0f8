/** The whole UI at an address, before a service for tests. */

import "./testing-service";
import { configure, render } from "@testing-library/react";
import { vi } from "vitest";
import type { Task } from "~/api/tasks";
import { App } from "~/app/app";
import { serve } from "./testing-service";

// Pages are loaded when they are opened first, which takes its time on a busy machine.
configure({ asyncUtilTimeout: 10_000 });
vi.setConfig({ testTimeout: 40_000 });

// Nothing has a size in a browser without a screen, and of a list only what is in sight is drawn.
const SIZES = { offsetHeight: 800, offsetWidth: 1200, clientHeight: 800, clientWidth: 1200 };
for (const [name, value] of Object.entries(SIZES)) {
  Object.defineProperty(HTMLElement.prototype, name, { configurable: true, value });
}

/** Opens a page; what the service is not given answers for is not found. */
export function openPage(path: string, answers: Readonly<Record<string, unknown>>): void {
  serve(answers);
  window.history.pushState({}, "", path);
  render(<App />);
}

/** A task as a whole, completed unless a test says otherwise. */
export function aWholeTask(given: Partial<Task> = {}): Task {
  const id = given.id ?? 1;
  return {
    id,
    name: "chat on a CPU",
    description: "",
    status: "completed",
    stop_reason: "all candidates are launched",
    origin: "api",
    model: "smollm2-135m",
    engine: "llamacpp",
    engine_version: "b1",
    device: "2 cores",
    worker: "worker-1",
    requested_action: "",
    revision: 3,
    created_at: "2026-11-26T10:00:00Z",
    updated_at: "2026-11-26T10:05:00Z",
    queued_at: "2026-11-26T10:00:00Z",
    started_at: "2026-11-26T10:00:01Z",
    ended_at: "2026-11-26T10:05:00Z",
    wall_s: 299,
    experiments: { total: 2, running: 0, completed: 2, failed: 0, best_throughput_tok_s: 80 },
    config: { version: 2, name: "chat on a CPU", model: { id: "smollm2-135m" } },
    config_version: 2,
    content_id: "x",
    requested_gpu: "cpu",
    requested_gpus: 0,
    v1_task_id: null,
    plan: {
      candidates: 2,
      combinations: 2,
      excluded: {},
      axes: { "misc.threads": [1, 2] },
      strategy: "grid",
      strategy_reason: "all of them",
      usd_per_gpu_hour: null,
    },
    progress: {
      experiments_running: 0,
      experiments_completed: 2,
      experiments_failed: 0,
      launches: 2,
      further_launches: null,
    },
    allowed_actions: ["restart"],
    links: {},
    ...given,
  } as Task;
}
