import { Badge, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Container, containersQuery } from "~/api/system";
import { EmptyState } from "~/ui/empty-state";
import { ago } from "~/ui/format";
import { TaskLink } from "~/ui/task-link";
import { useServiceNow } from "~/ui/use-service-now";
import { SystemCard } from "./card";
import classes from "./system.module.css";
import { WhyNot } from "./why-not";

/** Containers that run for tasks, of the daemon that the service reaches and of others. */
export function ContainersCard() {
  const query = useQuery(containersQuery);
  const nowMs = useServiceNow();
  return (
    <SystemCard id="system-containers" title="Containers" query={query}>
      {({ daemon, problem, remedy, items }) => (
        <>
          <WhyNot problem={problem} remedy={remedy} />
          {items.length > 0 && (
            <Table className={classes.table} fz="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Container</Table.Th>
                  <Table.Th scope="col">Task</Table.Th>
                  <Table.Th scope="col">State</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {items.map((container) => (
                  <ContainerRow key={container.name} container={container} nowMs={nowMs} />
                ))}
              </Table.Tbody>
            </Table>
          )}
          {items.length === 0 && problem === "" && (
            <EmptyState
              isSmall
              title="No container runs for a task"
              text={
                <>
                  A task with <code>deployment_mode: docker</code> starts each engine in one, of the
                  daemon at <code>{daemon}</code>.
                </>
              }
            />
          )}
        </>
      )}
    </SystemCard>
  );
}

/** A container as a row. */
export function ContainerRow({ container, nowMs }: { container: Container; nowMs: number }) {
  const { name, task_id: taskId, state, created_at: createdAt } = container;
  return (
    <Table.Tr>
      <Table.Th scope="row" className="text-of-users">
        {name}
        <Text size="xs" className="quiet">
          {originOf(container)}
        </Text>
      </Table.Th>
      <Table.Td data-label="Task">
        {taskId === null ? (
          <span className="quiet">of another installation</span>
        ) : (
          <TaskLink taskId={taskId}>Task {taskId}</TaskLink>
        )}
      </Table.Td>
      <Table.Td data-label="State">
        {state !== null && (
          <Badge
            size="sm"
            variant="light"
            mr={6}
            miw="max-content"
            color={state === "running" ? "green" : "gray"}
          >
            {state}
          </Badge>
        )}
        <Text span size="xs" className="quiet" style={{ whiteSpace: "nowrap" }}>
          made {ago(createdAt, nowMs)}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

/** The image of a container; where its daemon does not say it, from where it is known. */
function originOf({ image, host }: Container): string {
  if (host !== null) return `of another daemon, by a worker on ${host}; not asked from here`;
  return image ?? "as its worker has recorded it";
}
