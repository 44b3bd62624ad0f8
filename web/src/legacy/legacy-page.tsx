import { Anchor, Button, Group, NativeSelect, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { legacyTasksQuery, V1_STATUSES, type V1Status } from "~/api/legacy";
import { LegacyTable } from "~/migration/legacy-table";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { duration } from "~/ui/format";
import { statusLabel } from "~/ui/status-badge";

const route = getRouteApi("/tasks/legacy");

/** Tasks of version 1 as version 1 listed them: newest first. */
export function LegacyPage() {
  const { status } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(legacyTasksQuery(status));
  const rows = query.data?.pages.flat() ?? [];
  return (
    <Stack gap="md" className="page page-narrow">
      <Group justify="space-between" gap="sm">
        <div>
          <Title order={1} fz="xl">
            Tasks of version 1
          </Title>
          <Text size="sm" className="quiet">
            As version 1 showed them.{" "}
            <Anchor
              size="sm"
              underline="always"
              renderRoot={(props) => <Link to="/migration" {...props} />}
            >
              Migration
            </Anchor>{" "}
            turns them into version 2 tasks.
          </Text>
        </div>
        <NativeSelect
          aria-label="Status"
          size="xs"
          value={status ?? ""}
          onChange={(event) => {
            const value = event.currentTarget.value as V1Status | "";
            void navigate({ search: value ? { status: value } : {}, replace: true });
          }}
          data={[
            { value: "", label: "Any status" },
            ...V1_STATUSES.map((value) => ({ value, label: statusLabel(value) })),
          ]}
        />
      </Group>
      <section className="card card-body" aria-label="Tasks">
        {query.isPending && <Skeleton height={160} />}
        {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        {query.data && rows.length === 0 && (
          <EmptyState
            isSmall
            title={
              status ? "No version 1 task has this status" : "There are no version 1 tasks here"
            }
            text="They arrive through version 1's API or with a migrated database."
          />
        )}
        {rows.length > 0 && (
          <LegacyTable
            rows={rows.map((row) => ({
              ...row,
              runtime: row.base_runtime,
              createdAt: row.created_at,
            }))}
            name={(row) => (
              <Anchor
                size="sm"
                renderRoot={(props) => (
                  <Link to="/tasks/legacy/$v1TaskId" params={{ v1TaskId: row.id }} {...props} />
                )}
              >
                {row.task_name}
              </Anchor>
            )}
            columns={[
              {
                title: "Experiments",
                width: 130,
                isLabelled: true,
                cell: (row) => `${row.successful_experiments} of ${row.total_experiments}`,
              },
              {
                title: "Took",
                width: 110,
                isLabelled: true,
                cell: (row) => duration(row.elapsed_time),
              },
            ]}
          />
        )}
        {query.hasNextPage && (
          <Group justify="center" mt="sm">
            <Button
              size="xs"
              variant="default"
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              Show more
            </Button>
          </Group>
        )}
      </section>
    </Stack>
  );
}
