import {
  Anchor,
  Button,
  Group,
  NativeSelect,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { legacyTasksQuery, V1_STATUSES, type V1Status } from "~/api/legacy";
import classes from "~/migration/migration.module.css";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { duration, moment } from "~/ui/format";
import { StatusBadge, statusLabel } from "~/ui/status-badge";

const route = getRouteApi("/tasks/legacy");

/** Tasks of version 1 as version 1 listed them: newest first. */
export function LegacyPage() {
  const { status } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(legacyTasksQuery(status));
  const rows = query.data?.pages.flat() ?? [];
  return (
    <Stack gap="md" className={classes.page}>
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
            makes tasks of version 2 of them.
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
            { value: "", label: "Every status" },
            ...V1_STATUSES.map((value) => ({ value, label: statusLabel(value) })),
          ]}
        />
      </Group>
      <section className={`card ${classes.card}`} aria-label="Tasks">
        {query.isPending && <Skeleton height={160} />}
        {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        {query.data && rows.length === 0 && (
          <EmptyState
            isSmall
            title={status ? "No task of version 1 has this status" : "No task of version 1 is here"}
            text="They come over version 1's API, or with a database that is migrated."
          />
        )}
        {rows.length > 0 && (
          <Table className={`${classes.table} ${classes.fields}`} fz="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Task</Table.Th>
                <Table.Th scope="col" w={160}>
                  Runtime
                </Table.Th>
                <Table.Th scope="col" w={130}>
                  Status
                </Table.Th>
                <Table.Th scope="col" w={130}>
                  Experiments
                </Table.Th>
                <Table.Th scope="col" w={110}>
                  Took
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={row.id}>
                  <Table.Th scope="row" className="text-of-users">
                    <Anchor
                      size="sm"
                      renderRoot={(props) => (
                        <Link
                          to="/tasks/legacy/$v1TaskId"
                          params={{ v1TaskId: row.id }}
                          {...props}
                        />
                      )}
                    >
                      {row.task_name}
                    </Anchor>
                    <Text size="xs" className="quiet">
                      v1 task {row.id} · {moment(row.created_at)}
                    </Text>
                  </Table.Th>
                  <Table.Td className="text-of-users">{row.base_runtime}</Table.Td>
                  <Table.Td>
                    <StatusBadge status={row.status} />
                  </Table.Td>
                  <Table.Td data-label="Experiments">
                    {row.successful_experiments} of {row.total_experiments}
                  </Table.Td>
                  <Table.Td data-label="Took">{duration(row.elapsed_time)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
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
