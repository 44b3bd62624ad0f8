/** How far a task is, as a bar and in words. */

import type { TaskItem } from "~/api/tasks";
import { counted, duration } from "~/ui/format";

export interface Progress {
  /** Shares of the bar, 0 to 1; null where there is no bar to show. */
  bar: { completed: number; failed: number } | null;
  text: string;
  /** What else is to be known: time left, failures. */
  note: string;
}

type Measured = Pick<TaskItem, "status" | "experiments" | "launches" | "left_s" | "wall_s">;

export function progressOf(task: Measured): Progress {
  const { completed, failed, running } = task.experiments;
  const done = completed + failed;
  if (task.status === "pending") return { bar: null, text: "Not started", note: "" };
  if (task.status === "queued" && done === 0) {
    return { bar: barOf(0, 0, task.launches), text: "Waits for a worker", note: "" };
  }
  if (task.status === "running" && task.launches === null) {
    return { bar: barOf(0, 0, null), text: "Planning", note: "" };
  }
  const isEnded = task.status === "completed";
  const whole = isEnded ? done : Math.max(task.launches ?? done, done + running);
  return {
    bar: barOf(completed, failed, whole),
    text: isEnded
      ? counted(done, "launch", "launches")
      : `${done} of ${counted(whole, "launch", "launches")}`,
    note: notesOf(task).join(" · "),
  };
}

function notesOf(task: Measured): string[] {
  const { failed } = task.experiments;
  const time =
    task.status === "running" && task.left_s !== null
      ? `about ${duration(task.left_s)} left`
      : task.status !== "running" && task.wall_s > 0
        ? `took ${duration(task.wall_s)}`
        : "";
  return [time, failed > 0 ? `${failed} failed` : ""].filter(Boolean);
}

function barOf(completed: number, failed: number, whole: number | null): Progress["bar"] {
  if (!whole) return { completed: 0, failed: 0 };
  return { completed: completed / whole, failed: failed / whole };
}
