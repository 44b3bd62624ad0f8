import { useEffect, useReducer } from "react";
import type { TaskEvent } from "~/api/event-stream";
import { useLive } from "~/api/live";
import { pastEvents } from "~/api/task-events";
import { advance, NO_PHASE, type Phase } from "./phase";

type Change = TaskEvent[] | "forget";

function reduce(phase: Phase, change: Change): Phase {
  return change === "forget" ? NO_PHASE : change.reduce(advance, phase);
}

/** Where a task stands, as long as it runs. */
export function usePhase(taskId: number, isRunning: boolean): Phase {
  const { listen, state } = useLive();
  const isLive = state === "open";
  const [phase, change] = useReducer(reduce, NO_PHASE);

  useEffect(() => {
    if (!isRunning || !isLive) return;
    // What comes while the past is read waits for it: events count in their order.
    let isPastRead = false;
    let isOver = false;
    const meanwhile: TaskEvent[] = [];
    const stop = listen((event) => {
      if (event.task_id !== taskId) return;
      if (isPastRead) change([event]);
      else meanwhile.push(event);
    });
    pastEvents(taskId)
      // Without the past the phase begins with the next event.
      .catch(() => [])
      .then((past) => {
        if (isOver) return;
        isPastRead = true;
        change("forget");
        change([...past, ...meanwhile]);
      });
    return () => {
      isOver = true;
      stop();
    };
  }, [taskId, isRunning, isLive, listen]);

  return phase;
}
