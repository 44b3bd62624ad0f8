import { createContext, use } from "react";
import type { Task } from "~/api/tasks";

export const TaskContext = createContext<Task | null>(null);

/** The task whose page this is. */
export function useTask(): Task {
  const task = use(TaskContext);
  if (task === null) throw new Error("useTask is for parts of a task's page");
  return task;
}
