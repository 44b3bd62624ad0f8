/** Actions of tasks for the whole page: whoever shows a task asks here. */

import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import {
  createContext,
  lazy,
  type ReactNode,
  Suspense,
  use,
  useCallback,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { dropTasks, showTask } from "~/api/live";
import { sessionQuery } from "~/api/session";
import { type Action, act } from "~/api/tasks";
import type { DeferredDeletions } from "./deferred-deletions";
import { forEach, type Refusal } from "./outcome";
import { sayOutcome } from "./say-outcome";
import { deleteLater, useDeletions } from "./use-deletions";
import { type ActionTarget, isAction, losesMeasurements, type Verb } from "./verbs";

const RenameDialog = lazy(() => import("./rename-dialog"));
const RestartDialog = lazy(() => import("./restart-dialog"));

interface TaskActions {
  /** Does it to tasks; asks first where measurements would be lost. */
  run: (verb: Verb, tasks: readonly ActionTarget[]) => void;
  /** Numbers of the tasks that the service is being asked for. */
  busy: ReadonlySet<number>;
  /** Whether the reader may change anything. */
  mayWrite: boolean;
  deletions: DeferredDeletions;
}

interface Asked {
  verb: Verb;
  tasks: readonly ActionTarget[];
}

const ActionsContext = createContext<TaskActions | null>(null);

export function useTaskActions(): TaskActions {
  const actions = use(ActionsContext);
  if (actions === null) throw new Error("useTaskActions outside of ActionsProvider");
  return actions;
}

/** Numbers of tasks that are as good as deleted: no page shows them. */
export function useDeletedIds(): ReadonlySet<number> {
  const { deletions } = useTaskActions();
  return useSyncExternalStore(deletions.subscribe, deletions.hiddenIds);
}

export function ActionsProvider({ children }: { children: ReactNode }) {
  const navigate = useNavigate();
  const router = useRouter();
  const deletions = useDeletions();
  const session = useQuery(sessionQuery);
  const [asked, setAsked] = useState<Asked | null>(null);
  const { busy, ask } = useAsking();

  const actions = useMemo<TaskActions>(() => {
    function run(verb: Verb, tasks: readonly ActionTarget[]): void {
      const [first] = tasks;
      if (!first) return;
      if (losesMeasurements(verb, tasks) || verb === "rename") setAsked({ verb, tasks });
      else if (verb === "delete") remove(tasks);
      else if (verb === "clone") {
        void navigate({ to: "/tasks/new", search: { mode: "advanced", from: first.id } });
      } else if (verb === "edit") {
        void navigate({ to: "/tasks/new", search: { mode: "advanced", edit: first.id } });
      } else if (isAction(verb)) void ask(verb, tasks);
    }
    function remove(tasks: readonly ActionTarget[]): void {
      const ids = new Set(tasks.map(({ id }) => id));
      const isShown = router.state.matches.some(
        ({ params }) => "taskId" in params && ids.has(Number(params.taskId)),
      );
      if (isShown) void navigate({ to: "/tasks", search: {} });
      deleteLater(deletions, tasks);
    }
    return { run, busy, mayWrite: session.data?.scope !== "read", deletions };
  }, [ask, busy, deletions, navigate, router, session.data?.scope]);

  const close = () => setAsked(null);
  const renamed = asked?.verb === "rename" ? asked.tasks[0] : undefined;
  return (
    <ActionsContext value={actions}>
      {children}
      <Suspense>
        {renamed && <RenameDialog key={renamed.id} id={renamed.id} onClose={close} />}
        {asked?.verb === "restart" && (
          <RestartDialog
            tasks={asked.tasks}
            onClose={close}
            onRestart={() => void ask("restart", asked.tasks)}
          />
        )}
      </Suspense>
    </ActionsContext>
  );
}

/** Asks the service for actions, and shows what comes of them. */
function useAsking() {
  const queries = useQueryClient();
  const [busy, setBusy] = useState<ReadonlySet<number>>(new Set());

  const ask = useCallback(
    async (verb: Action, tasks: readonly ActionTarget[]) => {
      const ids = new Set(tasks.map(({ id }) => id));
      let stopsSoon = false;
      setBusy((before) => new Set([...before, ...ids]));
      const outcome = await forEach(tasks, async ({ id }) => {
        const task = await act(id, verb);
        stopsSoon ||= task.requested_action !== "";
        showTask(queries, task);
      });
      setBusy((before) => new Set([...before].filter((id) => !ids.has(id))));
      if (tasks.length > 1 || outcome.refusals.length > 0) {
        sayOutcome(verb, outcome, stopsSoon ? "Those that run stop within seconds." : "");
      }
      showAsTheyAre(queries, outcome.refusals);
    },
    [queries],
  );
  return { busy, ask };
}

/** Refused tasks are not what this page took them for: shows them as they are. */
function showAsTheyAre(queries: QueryClient, refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  const gone = refusals.filter(({ problem }) => problem.isGone).map(({ task }) => task.id);
  dropTasks(queries, new Set(gone));
  for (const { task } of refusals) void queries.invalidateQueries({ queryKey: ["task", task.id] });
  if (gone.length < refusals.length) void queries.invalidateQueries({ queryKey: ["tasks"] });
}
