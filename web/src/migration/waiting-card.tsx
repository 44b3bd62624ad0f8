import {
  Alert,
  Button,
  Checkbox,
  Group,
  List,
  Progress,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { type WaitingTask, waitingQuery } from "~/api/migrations";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { count, counted } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { EngineSelect } from "./engine-select";
import { LegacyTable } from "./legacy-table";
import { listed, PreviewDialog, previewColumn } from "./preview-dialog";
import { type Migrating, useMigrating } from "./use-migrating";

/** Tasks of version 1 in this service without a task of version 2. */
export function WaitingCard() {
  const { mayWrite } = useTaskActions();
  const query = useQuery(waitingQuery);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [shown, setShown] = useState<WaitingTask | null>(null);
  const [engine, setEngine] = useState<string | null>(null);
  const migrating = useMigrating(engine);
  const items = query.data?.items ?? [];
  const total = query.data?.total ?? 0;
  const ids = items.map((one) => one.v1_task_id).filter((id) => chosen.has(id));
  const toggle = (id: number) =>
    setChosen((before) =>
      before.has(id) ? new Set([...before].filter((one) => one !== id)) : new Set([...before, id]),
    );
  return (
    <section className="card card-body" aria-labelledby="waiting-here">
      <Stack gap="sm">
        <Group justify="space-between" gap="sm">
          <Title order={2} fz="md" id="waiting-here">
            Waiting here{total > 0 ? ` (${count(total)})` : ""}
          </Title>
          {mayWrite && total > 0 && (
            <Group gap="xs">
              <Button
                size="xs"
                variant="default"
                disabled={ids.length === 0 || migrating.isRunning}
                onClick={() => void migrating.some(ids)}
              >
                Migrate {ids.length === 0 ? "those chosen" : count(ids.length)}
              </Button>
              <Button
                size="xs"
                loading={migrating.isRunning}
                onClick={() => void migrating.all(total)}
              >
                Migrate all
              </Button>
            </Group>
          )}
        </Group>
        {mayWrite && items.some((one) => one.engine === null) && (
          <EngineSelect value={engine} onChange={setEngine} />
        )}
        {migrating.state && <MigratingView state={migrating.state} />}
        {query.isPending && <Skeleton height={80} />}
        {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        {query.data && total === 0 && (
          <EmptyState
            isSmall
            title="No version 1 tasks are waiting"
            text="Tasks created through version 1's API appear here until they are migrated."
          />
        )}
        {items.length > 0 && (
          <LegacyTable
            rows={items.map(listed)}
            name={({ id, name }) =>
              mayWrite ? (
                <Checkbox
                  size="xs"
                  label={name}
                  checked={chosen.has(id)}
                  onChange={() => toggle(id)}
                />
              ) : (
                name
              )
            }
            remark={({ experiments }) => counted(experiments, "experiment")}
            columns={[previewColumn(setShown)]}
          />
        )}
        {total > items.length && (
          <Text size="xs" className="quiet">
            The first {count(items.length)} of {count(total)}; “Migrate all” takes the others too.
          </Text>
        )}
      </Stack>
      {shown && (
        <PreviewDialog
          task={shown}
          engine={engine}
          onEngine={setEngine}
          onClose={() => setShown(null)}
        />
      )}
    </section>
  );
}

function MigratingView({ state }: { state: Migrating }) {
  const migrated = state.done - state.refused.length;
  return (
    <Stack gap="xs">
      {!state.isOver && (
        <Progress
          value={(100 * state.done) / Math.max(1, state.of)}
          aria-label={`${count(state.done)} of ${count(state.of)} migrated`}
        />
      )}
      {state.isOver && (
        <Alert
          color={state.refused.length > 0 ? "yellow" : "green"}
          role="status"
          title={`${counted(migrated, "task")} migrated`}
        >
          {state.refused.length > 0 && (
            <List size="xs">
              {state.refused.slice(0, 20).map((line) => (
                <List.Item key={line} className="text-of-users">
                  {asSentence(line)}
                </List.Item>
              ))}
            </List>
          )}
        </Alert>
      )}
      {state.error !== null && <ErrorNotice error={state.error} />}
    </Stack>
  );
}
