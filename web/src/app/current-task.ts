import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { type Task, taskQuery } from "~/api/tasks";

interface CurrentTask {
  id: number | null;
  /** Undefined until it is read. */
  task: Task | undefined;
}

/** The task that the page speaks of. */
export function useCurrentTask(): CurrentTask {
  const { taskId } = useParams({ strict: false });
  const id = taskId !== undefined && Number.isInteger(taskId) ? taskId : null;
  const task = useQuery({ ...taskQuery(id ?? 0), enabled: id !== null });
  return { id, task: id === null ? undefined : task.data };
}
