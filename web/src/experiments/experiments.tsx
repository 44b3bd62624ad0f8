import { Button, Card, Group, MultiSelect, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { IconLayoutColumns, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { type ExperimentStatus, useExperiments } from "~/api/experiments";
import { searchQuery } from "~/api/results";
import { keep, kept } from "~/app/storage";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { ColumnMenu } from "./column-menu";
import { type ColumnChoice, columnsOf, filtered, shownColumns, shownText, sorted } from "./columns";
import { DiffView } from "./diff-view";
import { ExperimentTable } from "./experiment-table";
import classes from "./experiment-table.module.css";
import { type ExperimentsSearch, MOST_MARKED, STATUSES } from "./search-params";
import { experimentStatusLabel } from "./status-badge";
import { varying } from "./varying";

const route = getRouteApi("/tasks/$taskId/experiments");
const COLUMNS = "autotuner-experiment-columns";
const NOTHING: readonly number[] = [];
const ROWS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** All experiments of a task: searched, sorted, marked, and put side by side. */
export function Experiments() {
  const { taskId } = route.useParams();
  const search = route.useSearch();
  const { experiments, isPending, isComplete, error, refetch } = useExperiments(taskId);
  const { change, onMark } = useChanges();
  const marked = search.marked ?? NOTHING;
  const side = useMemo(
    () => marked.flatMap((index) => experiments.find((one) => one.index === index) ?? []),
    [marked, experiments],
  );
  if (error && experiments.length === 0) {
    return <ErrorNotice error={error} onRetry={() => void refetch()} />;
  }
  if (isPending) return <Loading />;
  if (experiments.length === 0) {
    return (
      <EmptyState
        title="Nothing has been launched yet"
        text="Each launch of an engine with one configuration is an experiment and appears here."
      />
    );
  }
  if (search.diff && side.length > 1) {
    return (
      <DiffView
        taskId={taskId}
        experiments={side}
        onMarked={(next) => change({ marked: next })}
        onClose={() => change({ diff: undefined })}
      />
    );
  }
  return (
    <List
      taskId={taskId}
      experiments={experiments}
      isComplete={isComplete}
      search={search}
      marked={marked}
      change={change}
      onMark={onMark}
    />
  );
}

function useChanges() {
  const navigate = route.useNavigate();
  const change = useCallback(
    (part: ExperimentsSearch) =>
      void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const onMark = useCallback(
    (index: number, isMarked: boolean) =>
      void navigate({
        replace: true,
        search: (before) => {
          const others = (before.marked ?? []).filter((one) => one !== index);
          const marked = isMarked ? [...others, index] : others;
          return { ...before, marked: marked.length > 0 ? marked : undefined };
        },
      }),
    [navigate],
  );
  return { change, onMark };
}

interface ListProps {
  taskId: number;
  experiments: ReturnType<typeof useExperiments>["experiments"];
  isComplete: boolean;
  search: ExperimentsSearch;
  marked: readonly number[];
  change: (part: ExperimentsSearch) => void;
  onMark: (index: number, isMarked: boolean) => void;
}

function List(props: ListProps) {
  const { taskId, experiments, isComplete, search, marked, change, onMark } = props;
  const [text, setText] = useState(search.q ?? "");
  const [choice, setChoice] = useState<ColumnChoice>(() => kept<ColumnChoice>(COLUMNS) ?? {});
  const searched = useDeferredValue(text);
  const differing = useMemo(() => varying(experiments), [experiments]);
  const launches = useQuery(searchQuery(taskId)).data?.launches;
  const columns = useMemo(
    () =>
      columnsOf(
        differing,
        new Map(launches?.flatMap(({ index, load }) => (load ? [[index, load]] : []))),
      ),
    [differing, launches],
  );
  const shown = useMemo(() => shownColumns(columns, choice), [columns, choice]);
  const rows = useMemo(
    () => sorted(filtered(experiments, searched, search.status ?? []), columns, search.sort),
    [experiments, searched, search.status, columns, search.sort],
  );
  return (
    <Card className="card" p={0}>
      <Group className={classes.toolbar} gap="xs">
        <TextInput
          size="xs"
          type="search"
          flex="1 1 200px"
          placeholder="Search settings, commands, failures"
          aria-label="Search experiments"
          leftSection={<IconSearch size={14} aria-hidden />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            change({ q: event.currentTarget.value || undefined });
          }}
        />
        <MultiSelect
          size="xs"
          w={190}
          aria-label="Status"
          placeholder={search.status?.length ? undefined : "Any status"}
          clearable
          data={STATUSES.map((value) => ({ value, label: experimentStatusLabel(value) }))}
          value={search.status ?? []}
          onChange={(status) =>
            change({ status: status.length > 0 ? (status as ExperimentStatus[]) : undefined })
          }
        />
        <ColumnMenu
          columns={columns}
          choice={choice}
          onChoice={(next) => {
            setChoice(next);
            keep(COLUMNS, next);
          }}
        />
        <Button
          size="xs"
          leftSection={<IconLayoutColumns size={14} aria-hidden />}
          disabled={marked.length < 2}
          title={`Mark 2 to ${MOST_MARKED} experiments to put them side by side`}
          onClick={() => change({ diff: true })}
        >
          Side by side{marked.length > 0 ? ` (${marked.length})` : ""}
        </Button>
        {marked.length > 0 && (
          <Button size="xs" variant="default" onClick={() => change({ marked: undefined })}>
            Clear marks
          </Button>
        )}
        <Text size="xs" className="quiet" role="status">
          {shownText(rows.length, experiments.length)}
          {isComplete ? "" : ", more are read"}
        </Text>
      </Group>
      {rows.length === 0 ? (
        <EmptyState
          title="No experiment matches"
          action={
            <Button
              variant="default"
              size="xs"
              onClick={() => {
                setText("");
                change({ q: undefined, status: undefined });
              }}
            >
              Show all
            </Button>
          }
        />
      ) : (
        <ExperimentTable
          taskId={taskId}
          rows={rows}
          columns={shown}
          sort={search.sort}
          onSort={(sort) => change({ sort })}
          marked={marked}
          onMark={onMark}
        />
      )}
    </Card>
  );
}

function Loading() {
  return (
    <Card className="card" p={0} aria-busy="true" aria-label="Loading">
      <div className={classes.toolbar}>
        <Skeleton h={30} />
      </div>
      <Stack gap={10} p="sm">
        {ROWS.map((row) => (
          <Skeleton key={row} h={26} />
        ))}
      </Stack>
    </Card>
  );
}
