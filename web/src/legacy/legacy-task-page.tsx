import { Button, Group, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import {
  actOnLegacy,
  documentOf,
  type LegacyTask,
  legacyExperimentsQuery,
  legacyLogQuery,
  legacyTaskQuery,
} from "~/api/legacy";
import { LogView } from "~/logs/log-view";
import { FieldTable } from "~/migration/field-table";
import { shown } from "~/migration/fields";
import classes from "~/migration/migration.module.css";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { counted, duration, moment, number } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { StatusBadge } from "~/ui/status-badge";
import { CloneDialog } from "./clone-dialog";

const route = getRouteApi("/tasks/legacy/$v1TaskId");

/** A task of version 1 as version 1 showed it: what it says, what it measured, and its log. */
export function LegacyTaskPage() {
  const { v1TaskId } = route.useParams();
  const query = useQuery(legacyTaskQuery(v1TaskId));
  return (
    <Stack gap="md" className="page page-narrow">
      {query.isPending && <Skeleton height={200} />}
      {query.isError && (
        <>
          <Title order={1} fz="xl">
            v1 task {v1TaskId}
          </Title>
          <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
        </>
      )}
      {query.data && (
        <>
          <Head task={query.data} />
          <Experiments task={query.data} />
          <Document task={query.data} />
          <Log task={query.data} />
        </>
      )}
    </Stack>
  );
}

function Head({ task }: { task: LegacyTask }) {
  const { mayWrite } = useTaskActions();
  const queries = useQueryClient();
  const [isCloning, setIsCloning] = useState(false);
  const acting = useMutation({
    mutationFn: (action: "start" | "cancel") => actOnLegacy(task.id, action),
    onSettled: () => queries.invalidateQueries({ queryKey: ["legacy"] }),
  });
  const action = { pending: "start", running: "cancel" }[task.status as string] as
    | "start"
    | "cancel"
    | undefined;
  return (
    <>
      <Group justify="space-between" gap="sm" align="flex-start">
        <div>
          <Group gap="xs">
            <Title order={1} fz="xl" className="text-of-users">
              {task.task_name}
            </Title>
            <StatusBadge status={task.status} />
          </Group>
          <Text size="sm" className="quiet">
            v1 task {task.id} · {task.base_runtime} · {moment(task.created_at)} ·{" "}
            {counted(task.total_experiments, "experiment")}
            {task.elapsed_time !== null && ` · ${duration(task.elapsed_time)}`}
          </Text>
        </div>
        {mayWrite && (
          <Group gap="xs">
            {action && (
              <Button
                size="xs"
                color={action === "cancel" ? "red" : undefined}
                loading={acting.isPending}
                onClick={() => acting.mutate(action)}
              >
                {action === "start" ? "Start" : "Cancel"}
              </Button>
            )}
            <Button size="xs" variant="default" onClick={() => setIsCloning(true)}>
              Clone
            </Button>
          </Group>
        )}
      </Group>
      {acting.isError && <ErrorNotice error={acting.error} />}
      {isCloning && <CloneDialog task={task} onClose={() => setIsCloning(false)} />}
    </>
  );
}

const EXPERIMENT_HEADS = [
  { title: "Parameters" },
  { title: "Status", width: 120 },
  { title: "Score", width: 110 },
  { title: "Took", width: 90 },
];

function Experiments({ task }: { task: LegacyTask }) {
  const query = useQuery(legacyExperimentsQuery(task.id, task.status === "running"));
  const rows = query.data?.toSorted((one, other) => one.experiment_id - other.experiment_id) ?? [];
  return (
    <section className="card card-body" aria-labelledby="v1-experiments">
      <Stack gap="sm">
        <Title order={2} fz="md" id="v1-experiments">
          Experiments
        </Title>
        {query.isPending && <Skeleton height={60} />}
        {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        {query.data && rows.length === 0 && (
          <EmptyState isSmall title="Nothing has been launched" />
        )}
        {rows.length > 0 && (
          <FieldTable heads={EXPERIMENT_HEADS} size="xs">
            {rows.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Th scope="row" className="text-of-users">
                  {one.experiment_id}: {shown(one.parameters)}
                  {one.id === task.best_experiment_id && <strong> Best</strong>}
                  {one.error_message && (
                    <Text size="xs" className="quiet">
                      {asSentence(one.error_message)}
                    </Text>
                  )}
                </Table.Th>
                <Table.Td data-label="Status">{one.status}</Table.Td>
                <Table.Td data-label="Score">{number(one.objective_score)}</Table.Td>
                <Table.Td data-label="Took">{duration(one.elapsed_time)}</Table.Td>
              </Table.Tr>
            ))}
          </FieldTable>
        )}
      </Stack>
    </section>
  );
}

/** What the task says, a line for each key of each section. */
function Document({ task }: { task: LegacyTask }) {
  const lines = Object.entries(documentOf(task)).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([name, item]) => [`${key}.${name}`, item] as const)
      : [[key, value] as const],
  );
  return (
    <section className="card card-body" aria-labelledby="v1-document">
      <Stack gap="sm">
        <Title order={2} fz="md" id="v1-document">
          What it says
        </Title>
        <Table className={classes.table} fz="xs">
          <Table.Tbody>
            {lines.map(([path, value]) => (
              <Table.Tr key={path}>
                <Table.Th scope="row" w="45%" className="text-of-users">
                  <span className="quiet">{path}</span>
                </Table.Th>
                <Table.Td className="text-of-users">{shown(value)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </section>
  );
}

function Log({ task }: { task: LegacyTask }) {
  const query = useQuery(legacyLogQuery(task.id, task.status === "running"));
  const lines = query.data ? query.data.replace(/\n$/, "").split("\n") : [];
  return (
    <section aria-label="Log">
      {query.isError ? (
        <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <LogView
          lines={lines}
          label={`Log of v1 task ${task.id}`}
          fileName={`v1-task-${task.id}.log`}
          height="340px"
          initialQuery=""
          onQuery={() => {}}
          empty={
            query.data !== undefined && <EmptyState isSmall title="Nothing has been logged yet" />
          }
        />
      )}
    </section>
  );
}
