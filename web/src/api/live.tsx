/** One stream of events for the whole page: it keeps what is shown up to date. */

import { type QueryClient, type QueryKey, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useRef, useState } from "react";
import { follow, type StreamState, type TaskEvent } from "./event-stream";
import { Freshness } from "./freshness";
import { showPoint } from "./points";
import { sessionQuery } from "./session";
import { isOlder, type TaskList, withoutTasks, withTask } from "./task-lists";
import type { TaskFilter, TaskItem } from "./tasks";

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
  "relaunch_ended",
  "launch_cut_short",
  "launch_taken_back",
  "task_ended",
  "task_started",
]);
const TASK_DELETED = "task_deleted";
const TASK_CHANGED = "changed";
/** Kinds after which what was moved from version 1, or waits for it, may be another. */
const CHANGES_MIGRATIONS = new Set([TASK_DELETED, "created"]);
const RESULTS = ["points", "experiments", "comparison", "summary", "task-logs"] as const;

interface LiveProviderProps {
  /** Whether the service would answer: false while the session has lapsed. */
  isSignedIn: boolean;
  children: ReactNode;
}

export function LiveProvider({ isSignedIn, children }: LiveProviderProps) {
  const queries = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  const listeners = useRef(new Set<Listener>());
  const last = useRef<number | null>(null);

  useEffect(() => {
    if (!isSignedIn) {
      setState("paused");
      return;
    }
    const freshness = new Freshness(queries);
    let wasLost = false;
    const stop = follow({
      path: "/api/v2/events",
      after: last.current,
      onEvent: (event) => {
        last.current = event.id;
        apply(queries, freshness, event);
        for (const listener of listeners.current) listener(event);
      },
      onState: (next) => {
        setState(next);
        if (next === "lost") {
          wasLost = true;
          // A stream does not say why it ended: the session may have.
          void queries.refetchQueries(
            { queryKey: sessionQuery.queryKey },
            { cancelRefetch: false },
          );
        }
        if (next === "open" && wasLost) {
          wasLost = false;
          void queries.invalidateQueries();
        } else if (next === "open" && last.current === null) {
          // The stream begins now: what was read before it may lack a change of that moment.
          for (const key of [["tasks"], ["task"]]) freshness.renew(key);
        }
      },
    });
    return () => {
      stop();
      freshness.stop();
    };
  }, [queries, isSignedIn]);

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
export function apply(queries: QueryClient, freshness: Freshness, event: TaskEvent): void {
  const own = ["task", event.task_id];
  if (CHANGES_MIGRATIONS.has(event.kind)) freshness.renew(["migrations"]);
  // Answers that are under way may be older, and would take the place of what is shown.
  const renewIfUnderWay = (keys: readonly QueryKey[]) => {
    for (const key of keys) if (queries.isFetching({ queryKey: key }) > 0) freshness.renew(key);
  };
  if (event.kind === TASK_DELETED) {
    dropTasks(queries, new Set([event.task_id]));
    renewIfUnderWay([["tasks"]]);
    freshness.renew(own);
    return;
  }
  const task = (event.task ?? null) as TaskItem | null;
  if (task !== null) {
    showTask(queries, task);
    renewIfUnderWay([own, ["tasks"]]);
  }
  if (event.kind === TASK_CHANGED) freshness.renew(own);
  if (CHANGES_RESULTS.has(event.kind)) {
    for (const part of RESULTS) {
      // A measured level brings its point: there is no need to read thousands again.
      if (part === "points" && showPoint(queries, event)) continue;
      freshness.renew([part, event.task_id]);
    }
    freshness.renew(own);
  }
}

/**
 * Shows a task as it stands now, in every list that holds it and on its own page.
 *
 * What is older than what is shown changes nothing: an answer may come behind the event of what
 * followed it.
 */
export function showTask(queries: QueryClient, task: TaskItem): void {
  changeLists(queries, (list, filter) => withTask(list, filter, task));
  queries.setQueryData<TaskItem>(["task", task.id], (data) =>
    data && !isOlder(task, data) ? { ...data, ...task } : data,
  );
}

/** Shows deleted tasks no longer. */
export function dropTasks(queries: QueryClient, ids: ReadonlySet<number>): void {
  changeLists(queries, (list) => withoutTasks(list, ids));
}

function changeLists(
  queries: QueryClient,
  change: (list: TaskList, filter: TaskFilter) => TaskList,
): void {
  for (const { queryKey } of queries.getQueryCache().findAll({ queryKey: ["tasks"] })) {
    const filter = queryKey[1] as TaskFilter;
    queries.setQueryData<TaskList>(queryKey, (list) => (list?.pages ? change(list, filter) : list));
  }
}
