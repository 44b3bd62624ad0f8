/** One stream of events for the whole page: it keeps what is shown up to date. */

import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useRef, useState } from "react";
import { follow, type StreamState, type TaskEvent } from "./event-stream";
import type { TaskItem } from "./tasks";

type Listener = (event: TaskEvent) => void;

interface Live {
  state: StreamState;
  /** Calls the listener with every event until the returned function is called. */
  listen: (listener: Listener) => () => void;
}

const LiveContext = createContext<Live>({ state: "connecting", listen: () => () => {} });

export const useLive = (): Live => use(LiveContext);

/** Kinds after which points, experiments or comparison are no longer what they were. */
const CHANGES_RESULTS = new Set([
  "level_measured",
  "experiment_started",
  "experiment_ended",
  "launch_cut_short",
  "task_ended",
  "task_started",
]);
const RESULTS = ["points", "experiments", "comparison", "summary", "task-logs"] as const;

export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  const listeners = useRef(new Set<Listener>());

  useEffect(() => {
    let wasLost = false;
    return follow({
      path: "/api/v2/events",
      after: null,
      onEvent: (event) => {
        apply(queries, event);
        for (const listener of listeners.current) listener(event);
      },
      onState: (next) => {
        setState(next);
        if (next === "lost") wasLost = true;
        if (next === "open" && wasLost) {
          wasLost = false;
          void queries.invalidateQueries();
        }
      },
    });
  }, [queries]);

  const [live] = useState(() => ({
    listen(listener: Listener) {
      listeners.current.add(listener);
      return () => {
        listeners.current.delete(listener);
      };
    },
  }));
  return <LiveContext value={{ state, listen: live.listen }}>{children}</LiveContext>;
}

/** Brings the cached answers up to date with an event. */
export function apply(queries: QueryClient, event: TaskEvent): void {
  const task = (event.task ?? null) as TaskItem | null;
  if (task !== null) {
    let isListed = false;
    queries.setQueriesData<{ pages: { items: TaskItem[] }[] }>({ queryKey: ["tasks"] }, (data) => {
      if (!data?.pages) return data;
      const pages = data.pages.map((page) => ({
        ...page,
        items: page.items.map((row) => {
          if (row.id !== task.id) return row;
          isListed = true;
          return { ...row, ...task };
        }),
      }));
      return { ...data, pages };
    });
    if (!isListed) void queries.invalidateQueries({ queryKey: ["tasks"] });
    queries.setQueryData<TaskItem>(["task", task.id], (data) =>
      data ? { ...data, ...task } : data,
    );
  }
  if (CHANGES_RESULTS.has(event.kind)) {
    for (const part of RESULTS) void queries.invalidateQueries({ queryKey: [part, event.task_id] });
    void queries.invalidateQueries({ queryKey: ["task", event.task_id] });
  }
}
