/** How far a task is, as a bar and in words. */

import type { TaskItem } from "~/api/tasks";
import { counted, duration, timeLeft } from "~/ui/format";

export interface Progress {
  /** Shares of the bar, 0 to 1; null where there is no bar to show. */
  bar: { completed: number; failed: number } | null;
  text: string;
  /** Time that is left, or that it took. */
  time: string;
}

type Measured = Pick<
  TaskItem,
  "status" | "experiments" | "launches" | "further_launches" | "left_s" | "wall_s"
>;

export function progressOf(task: Measured): Progress {
  const { failed, running } = task.experiments;
  // Those that confirm the result are launches, too, although no experiments of their own.
  const completed = task.experiments.completed + (task.further_launches ?? 0);
  const done = completed + failed;
  if (task.status === "pending") return { bar: null, text: "", time: "" };
  if (task.status === "queued" && done === 0) {
    return { bar: EMPTY, text: "Waits for a worker", time: "" };
  }
  if (task.status === "running" && task.launches === null) {
    return { bar: EMPTY, text: "Planning", time: "" };
  }
  if (task.status !== "running" && done + running === 0 && !task.launches) {
    return { bar: null, text: "Nothing launched", time: "" };
  }
  const isEnded = task.status === "completed";
  const whole = isEnded ? done : Math.max(task.launches ?? done, done + running);
  return {
    bar: whole === 0 ? EMPTY : { completed: completed / whole, failed: failed / whole },
    text: textOf(done, whole, failed),
    time: timeOf(task),
  };
}

function textOf(done: number, whole: number, failed: number): string {
  if (failed > 0 && done === whole) return `${failed} of ${whole} failed`;
  if (failed > 0) return `${done} of ${whole}, ${failed} failed`;
  const launches = counted(whole, "launch", "launches");
  return done === whole ? launches : `${done} of ${launches}`;
}

const EMPTY = { completed: 0, failed: 0 };

function timeOf(task: Measured): string {
  if (task.status === "running") return task.left_s === null ? "" : timeLeft(task.left_s);
  return task.wall_s > 0 ? duration(task.wall_s) : "";
}
