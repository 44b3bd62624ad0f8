import { SegmentedControl, Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { engineLogPath, type LogState, taskLogQuery } from "~/api/logs";
import { LogView } from "~/logs/log-view";
import { useEngineLog } from "~/logs/use-engine-log";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import type { LogSearch } from "./log-search-params";
import { useTask } from "./task-context";

const route = getRouteApi("/tasks/$taskId/log");
const HEIGHT = "max(380px, calc(100vh - 220px))";
const STATES: Record<LogState, string> = {
  connecting: "Connecting",
  open: "Live",
  lost: "Connection lost; it is taken up again",
  ended: "Ended",
};

/** The task's own log, or the log of its engines as they write it. */
export function TaskLog() {
  const { of } = route.useSearch();
  return of === "engine" ? <EngineLog /> : <OwnLog />;
}

/** What the address says, and the way to change it. */
function useLogSearch() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: LogSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  return { search, change };
}

function Kind() {
  const { search, change } = useLogSearch();
  return (
    <SegmentedControl
      size="xs"
      aria-label="Log of"
      value={search.of ?? "task"}
      onChange={(value) => change({ of: value === "engine" ? "engine" : undefined })}
      data={[
        { value: "task", label: "Task" },
        { value: "engine", label: "Engine" },
      ]}
    />
  );
}

function OwnLog() {
  const task = useTask();
  const { search, change } = useLogSearch();
  const { data, error, refetch } = useQuery(taskLogQuery(task.id));
  const lines = useMemo(() => linesOf(data ?? ""), [data]);
  if (error) return <ErrorNotice error={error} onRetry={() => void refetch()} />;
  return (
    <LogView
      lines={lines}
      label={`Log of task ${task.id}`}
      fileName={`task-${task.id}.log`}
      height={HEIGHT}
      initialQuery={search.q ?? ""}
      onQuery={(q) => change({ q: q || undefined })}
      empty={
        data !== undefined && (
          <EmptyState title="Nothing has happened yet" text="What the task does is noted here." />
        )
      }
    >
      <Kind />
    </LogView>
  );
}

function EngineLog() {
  const task = useTask();
  const { search, change } = useLogSearch();
  const experiment = search.experiment ?? null;
  const { lines, dropped, state, problem } = useEngineLog(engineLogPath(task.id, experiment));
  const launches = task.experiments.total;
  return (
    <>
      {problem !== null && <ErrorNotice error={problem} />}
      <LogView
        lines={lines}
        dropped={dropped}
        label={experiment === null ? "Log of the engine" : `Log of experiment ${experiment}`}
        fileName={`task-${task.id}-engine.log`}
        height={HEIGHT}
        initialQuery={search.q ?? ""}
        onQuery={(q) => change({ q: q || undefined })}
        empty={<NoLines state={state} />}
      >
        <Kind />
        <Select
          size="xs"
          w={190}
          aria-label="Launch"
          value={experiment === null ? "" : String(experiment)}
          onChange={(value) => change({ experiment: Number(value) || undefined })}
          searchable
          allowDeselect={false}
          limit={100}
          data={[
            { value: "", label: "Newest launch" },
            ...Array.from({ length: launches }, (_, place) => {
              const index = String(launches - place);
              return { value: index, label: `Experiment ${index}` };
            }),
          ]}
        />
        <Text size="xs" className="quiet" role="status">
          {STATES[state]}
        </Text>
      </LogView>
    </>
  );
}

function NoLines({ state }: { state: LogState }) {
  if (state === "connecting") return null;
  return (
    <EmptyState
      title="No lines yet"
      text="The log of an engine begins with its launch. A replay launches nothing."
    />
  );
}

/** Lines of a text; what ends with a line break has no empty line behind it. */
function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
