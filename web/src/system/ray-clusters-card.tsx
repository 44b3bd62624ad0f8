import { Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Cluster, type ClusterNode, rayClustersQuery } from "~/api/system";
import { EmptyState } from "~/ui/empty-state";
import { gibibytes, number } from "~/ui/format";
import { TaskLink } from "~/ui/task-link";
import { SystemCard } from "./card";
import classes from "./system.module.css";
import { WhyNot } from "./why-not";

/** Nodes of the Ray clusters that running tasks use, and what is reserved of them. */
export function ClustersCard() {
  const query = useQuery(rayClustersQuery);
  return (
    <SystemCard id="system-clusters" title="Ray clusters" query={query}>
      {({ items }) =>
        items.length === 0 ? (
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
          items.map((cluster) => (
            <ClusterView key={`${cluster.address} ${cluster.host}`} cluster={cluster} />
          ))
        )
      }
    </SystemCard>
  );
}

/** A Ray cluster with its tasks and nodes. */
export function ClusterView({ cluster }: { cluster: Cluster }) {
  const { address, host, task_ids: taskIds, problem, remedy, nodes } = cluster;
  return (
    <div className={classes.cluster}>
      <Text size="sm" className="text-of-users">
        Cluster <code>{address}</code>
        {host !== null && ` on ${host}`}:{" "}
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
        <Table className={classes.table} fz="sm">
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
    </div>
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
