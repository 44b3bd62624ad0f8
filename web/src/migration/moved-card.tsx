import { Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { type Migration, migrationsQuery } from "~/api/migrations";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { counted, moment } from "~/ui/format";
import { UndoDialog } from "./undo-dialog";
import { useMigrationsChanged } from "./use-migrations-changed";

/** Databases that were moved here; each can be taken back. */
export function MovedCard() {
  const { mayWrite } = useTaskActions();
  const changed = useMigrationsChanged();
  const query = useQuery(migrationsQuery);
  const [undoing, setUndoing] = useState<Migration | null>(null);
  return (
    <section className="card card-body" aria-labelledby="moved-here">
      <Stack gap="sm">
        <Title order={2} fz="md" id="moved-here">
          Moved here
        </Title>
        {query.isPending && <Skeleton height={40} />}
        {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        {query.data?.length === 0 && (
          <EmptyState
            isSmall
            title="No databases have been moved here"
            text="Databases that are moved appear here and can be taken back."
          />
        )}
        {query.data?.map((one) => (
          <Group key={one.id} justify="space-between" gap="sm">
            <div>
              <Text size="sm" className="text-of-users">
                {one.source}
              </Text>
              <Text size="xs" className="quiet">
                {moment(one.started_at)} ·{" "}
                {counted(one.units, "task or preset", "tasks and presets")}
                {one.ended_at === null && " · interrupted: move the same file again to continue"}
              </Text>
            </div>
            {mayWrite && (
              <Button
                size="xs"
                variant="default"
                aria-label={`Take back ${one.source}`}
                onClick={() => setUndoing(one)}
              >
                Take back
              </Button>
            )}
          </Group>
        ))}
      </Stack>
      {undoing && (
        <UndoDialog
          migration={undoing.id}
          source={undoing.source}
          onDone={changed}
          onClose={() => setUndoing(null)}
        />
      )}
    </section>
  );
}
