import { Badge, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Cluster, type ClusterNode, type Container, placesQuery } from "~/api/system";
import { EmptyState } from "~/ui/empty-state";
import { ago, gibibytes, number } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { TaskLink } from "~/ui/task-link";
import { useServiceNow } from "~/ui/use-service-now";
import { WithCode } from "~/ui/with-code";
import { SystemCard } from "./card";
import classes from "./system.module.css";

/** Containers that run for tasks, of the daemon that the service reaches and of others. */
export function ContainersCard() {
  const query = useQuery(placesQuery);
  const nowMs = useServiceNow();
  return (
    <SystemCard id="system-containers" title="Containers" query={query}>
      {({ containers: { daemon, problem, remedy, items } }) => (
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

function ContainerRow({ container, nowMs }: { container: Container; nowMs: number }) {
  const { name, image, task_id: taskId, host, state, created_at: createdAt } = container;
  return (
    <Table.Tr>
      <Table.Th scope="row" className="text-of-users">
        {name}
        <Text size="xs" className="quiet">
          {host === null ? image : `on ${host}, whose daemon is not asked from here`}
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
        <Text span size="xs" className="quiet">
          made {ago(createdAt, nowMs)}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

/** Nodes of the Ray clusters that running tasks use, and what is reserved of them. */
export function ClustersCard() {
  const query = useQuery(placesQuery);
  return (
    <SystemCard id="system-clusters" title="Ray clusters" query={query}>
      {({ clusters }) =>
        clusters.length === 0 ? (
          <EmptyState
            isSmall
            title="No Ray cluster is in use"
            text={
              <>
                A task with <code>deployment_mode: ray</code> names its cluster by{" "}
                <code>ray.address</code>. The nodes are listed while it runs, and at any time where
                this machine is one of them.
              </>
            }
          />
        ) : (
          clusters.map((cluster) => <ClusterView key={cluster.address} cluster={cluster} />)
        )
      }
    </SystemCard>
  );
}

function ClusterView({ cluster }: { cluster: Cluster }) {
  const { address, task_ids: taskIds, problem, remedy, nodes } = cluster;
  return (
    <>
      <Text size="sm" className="text-of-users">
        Cluster <code>{address}</code>:{" "}
        {taskIds.length === 0
          ? "no task runs on it"
          : taskIds.map((taskId, at) => (
              <span key={taskId}>
                {at > 0 && ", "}
                <TaskLink taskId={taskId}>Task {taskId}</TaskLink>
              </span>
            ))}
      </Text>
      <WhyNot problem={problem} remedy={remedy} />
      {nodes.length > 0 && (
        <Table className={classes.table} fz="sm" mb="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Node</Table.Th>
              <Table.Th scope="col">Reserved</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {nodes.map((node, at) => (
              // Nodes of one machine have one name.
              // biome-ignore lint/suspicious/noArrayIndexKey: the order is the service's.
              <Table.Tr key={`${node.host}/${at}`}>
                <Table.Th scope="row" className="text-of-users">
                  {node.host}
                </Table.Th>
                <Table.Td data-label="Reserved" className="text-of-users">
                  {node.resources.map(reservedText).join(", ")}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </>
  );
}

/** How much of a resource is reserved: `1 of 2 GPU`; all that there is where that is not known. */
export function reservedText({ name, total, reserved }: ClusterNode["resources"][number]): string {
  const amount = (value: number) =>
    name === "memory" && value > 0 ? gibibytes(value) : number(value);
  const unit = name === "memory" ? "memory" : name.replace(/^accelerator_type:/, "");
  return reserved === null
    ? `${unit}: ${amount(total)}, reserved not known`
    : `${unit}: ${amount(reserved)} of ${amount(total)}`;
}

function WhyNot({ problem, remedy }: { problem: string; remedy: string }) {
  if (problem === "") return null;
  return (
    <Text size="sm" className="quiet">
      {asSentence(problem)}
      <br />
      Remedy: <WithCode text={remedy} />
    </Text>
  );
}
