import { createContext, use } from "react";
import type { Task } from "~/api/tasks";

/** Place of a queued task in the queue, and why it does not run yet. */
export interface Waiting {
  position: number;
  reason: string;
  remedy: string;
}

export type ShownTask = Task & { left_s?: number | null; waiting?: Waiting | null };

export const TaskContext = createContext<ShownTask | null>(null);

/** The task whose page this is. */
export function useTask(): ShownTask {
  const task = use(TaskContext);
  if (task === null) throw new Error("useTask is for parts of a task's page");
  return task;
}
