import { Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type QueuedTask, queueQuery } from "~/api/system";
import { EmptyState } from "~/ui/empty-state";
import { ago, count, device } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { StatusBadge } from "~/ui/status-badge";
import { TaskLink } from "~/ui/task-link";
import { useServiceNow } from "~/ui/use-service-now";
import { WithCode } from "~/ui/with-code";
import { SystemCard } from "./card";
import classes from "./system.module.css";

/** What runs, what waits in its order, and why it waits. */
export function QueueCard() {
  const query = useQuery(queueQuery);
  const nowMs = useServiceNow();
  return (
    <SystemCard id="system-queue" title="Queue" query={query} isWide>
      {({ items, queued }) => {
        const waiting = items.filter(({ status }) => status === "queued").length;
        if (items.length === 0) {
          return (
            <EmptyState
              isSmall
              title="Nothing is running or waiting"
              text="Tasks appear here once they are started."
            />
          );
        }
        return (
          <>
            <Table className={classes.table} fz="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Task</Table.Th>
                  <Table.Th scope="col">Status</Table.Th>
                  <Table.Th scope="col">Requested devices</Table.Th>
                  <Table.Th scope="col">Details</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {items.map((task) => (
                  <QueueRow key={task.id} task={task} nowMs={nowMs} />
                ))}
              </Table.Tbody>
            </Table>
            {queued > waiting && (
              <Text size="xs" className="quiet">
                and {count(queued - waiting)} more that wait
              </Text>
            )}
          </>
        );
      }}
    </SystemCard>
  );
}

function QueueRow({ task, nowMs }: { task: QueuedTask; nowMs: number }) {
  return (
    <Table.Tr>
      <Table.Th scope="row">
        <TaskLink taskId={task.id} className="text-of-users">
          {task.name}
        </TaskLink>
      </Table.Th>
      <Table.Td>
        <StatusBadge status={task.status} />
      </Table.Td>
      <Table.Td data-label="Requested devices">
        {task.requested === "cpu" ? "CPU" : device(task.requested) || "any device"}
      </Table.Td>
      <Table.Td>
        {task.waiting ? (
          <>
            {asSentence(task.waiting.reason)}
            <Text size="xs" className="quiet">
              <WithCode text={asSentence(task.waiting.remedy)} /> Queued{" "}
              {ago(task.queued_at, nowMs)}.
            </Text>
          </>
        ) : (
          <span className="text-of-users">
            {task.worker ? `On ${task.worker}` : "On no worker"}, started{" "}
            {ago(task.started_at, nowMs)}
          </span>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
