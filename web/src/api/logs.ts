/** Logs: the task's own, and those of engines, which are followed line by line. */

import { queryOptions } from "@tanstack/react-query";
import { ApiProblem, isPassing } from "./problems";
import { textOf } from "./reading";

export const taskLogQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["task-logs", taskId],
    queryFn: ({ signal }) => textOf(`/api/v2/tasks/${taskId}/logs/task`, signal),
  });

/** The log of one launch, or of each launch of the task in turn. */
export const engineLogPath = (taskId: number, experiment: number | null): string =>
  experiment === null
    ? `/api/v2/tasks/${taskId}/logs`
    : `/api/v2/tasks/${taskId}/experiments/${experiment}/logs`;

export type LogState = "connecting" | "open" | "lost" | "ended";

interface LogListener {
  onLine: (line: string) => void;
  /** The lines that follow are of this launch. */
  onExperiment: (index: number) => void;
  /** What came before comes again: the log is read anew. */
  onRestart: () => void;
  onState: (state: LogState) => void;
  /** The service refuses to give the log. */
  onProblem: (problem: unknown) => void;
}

const LAST_LINES = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** Follows a log until the returned function is called, and reads it anew where it was cut off. */
export function followLog(path: string, listener: LogListener): () => void {
  let waitMs = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | null = null;
  let isStopped = false;

  function open(): void {
    listener.onState("connecting");
    source = new EventSource(`${path}?follow=true&tail=${LAST_LINES}`);
    source.onopen = () => {
      waitMs = FIRST_WAIT_MS;
      listener.onRestart();
      listener.onState("open");
    };
    source.addEventListener("line", (event) => listener.onLine(event.data));
    source.addEventListener("experiment", (event) => listener.onExperiment(Number(event.data)));
    source.addEventListener("end", () => {
      source?.close();
      listener.onState("ended");
    });
    source.onerror = () => {
      // The browser would go on where it was cut off, with the same lines once more.
      source?.close();
      listener.onState("lost");
      void explain();
    };
  }

  /** An event source does not give the reason of an error; a plain request for no lines does. */
  async function explain(): Promise<void> {
    try {
      await textOf(`${path}?tail=0`);
    } catch (problem) {
      if (isStopped) return;
      // Who signs in again finds the log going on.
      const isAway = problem instanceof ApiProblem && problem.needsSignIn;
      if (!isPassing(problem) && !isAway) {
        listener.onProblem(problem);
        listener.onState("ended");
        return;
      }
    }
    if (isStopped) return;
    timer = setTimeout(open, waitMs);
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
  }

  open();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    source?.close();
  };
}
