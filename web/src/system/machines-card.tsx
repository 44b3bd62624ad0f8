import { Badge, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type DeviceSummary, devicesQuery } from "~/api/catalog";
import { type Worker, workersQuery } from "~/api/system";
import { EmptyState } from "~/ui/empty-state";
import { counted, duration, gibibytes, number, withUnit } from "~/ui/format";
import { TaskLink } from "~/ui/task-link";
import { SystemCard } from "./card";
import classes from "./system.module.css";

/** Devices on which tasks can run, here and of workers elsewhere. */
export function DevicesCard() {
  const query = useQuery(devicesQuery);
  const workers = useQuery(workersQuery).data ?? [];
  return (
    <SystemCard id="system-devices" title="Devices" query={query}>
      {(devices) => (
        <Table className={classes.table} fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Device</Table.Th>
              <Table.Th scope="col">Memory</Table.Th>
              <Table.Th scope="col">Bandwidth</Table.Th>
              <Table.Th scope="col">Worker</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {devices.map((device) => (
              <Table.Tr key={`${device.host}/${device.worker ?? ""}/${device.name}`}>
                <Table.Th scope="row" className="text-of-users">
                  {deviceText(device)}
                  <Text size="xs" className="quiet">
                    {device.host}
                  </Text>
                </Table.Th>
                <Table.Td data-label="Memory">{gibibytes(device.memory_gib)}</Table.Td>
                <Table.Td data-label="Bandwidth">
                  {device.bandwidth_gb_s === null
                    ? "–"
                    : withUnit(number(device.bandwidth_gb_s), "GB/s")}
                </Table.Td>
                <Table.Td data-label="Worker" className="text-of-users">
                  {holdersOf(device, workers) || <span className="quiet">none</span>}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </SystemCard>
  );
}

/** Workers that have a device; a CPU is listed once, whoever runs tasks on it. */
function holdersOf({ kind, host, worker }: DeviceSummary, workers: readonly Worker[]): string {
  const holders = workers.filter((one) =>
    kind === "cpu" ? one.gpu === "cpu" && one.host === host : one.id === worker,
  );
  return holders.map(({ name }) => name).join(", ");
}

function deviceText({ kind, name, count }: DeviceSummary): string {
  return kind === "cpu" ? `${name}, ${counted(count, "core")}` : `${count} × ${name}`;
}

/** Processes that run tasks, and whether they are alive. */
export function WorkersCard() {
  const query = useQuery(workersQuery);
  return (
    <SystemCard id="system-workers" title="Workers" query={query}>
      {(workers) =>
        workers.length === 0 ? (
          <EmptyState
            isSmall
            title="No worker is registered"
            text={
              <>
                Tasks wait until one is running: <code>autotuner worker</code> starts one on any
                machine that can reach the database.
              </>
            }
          />
        ) : (
          <Table className={classes.table} fz="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Worker</Table.Th>
                <Table.Th scope="col">Devices</Table.Th>
                <Table.Th scope="col">State</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {workers.map((worker) => (
                <WorkerRow key={worker.id} worker={worker} />
              ))}
            </Table.Tbody>
          </Table>
        )
      }
    </SystemCard>
  );
}

/** How busy the machine of a worker was at its last heartbeat; empty where it did not say so. */
export function usageText({ alive, usage }: Pick<Worker, "alive" | "usage">): string {
  if (!alive || usage === null) return "";
  const busiest = usage.gpus.flatMap(({ use_percent }) => use_percent ?? []);
  return [
    usage.cpu_percent !== null && `CPU ${withUnit(number(usage.cpu_percent), "%")}`,
    `memory ${gibibytes(usage.memory_used_gib)} of ${gibibytes(usage.memory_gib)}`,
    busiest.length > 0 &&
      `${usage.gpus.length === 1 ? "GPU" : `${counted(usage.gpus.length, "GPU")}, the busiest`} ${withUnit(number(Math.max(...busiest)), "%")}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function WorkerRow({ worker }: { worker: Worker }) {
  const usage = usageText(worker);
  return (
    <Table.Tr>
      <Table.Th scope="row" className="text-of-users">
        {worker.kind === "cli" ? "command line" : worker.name}
        <Text size="xs" className="quiet">
          {worker.host}, process {worker.pid}, version {worker.version}
        </Text>
        {usage && (
          <Text size="xs" className="quiet">
            Machine: {usage}
          </Text>
        )}
      </Table.Th>
      <Table.Td data-label="Devices" className="text-of-users">
        {worker.gpu === "cpu" ? "CPU" : `${worker.devices.length} × ${worker.gpu}`}
      </Table.Td>
      <Table.Td data-label="State">
        {worker.alive ? (
          worker.task_id === null ? (
            "Free"
          ) : (
            <TaskLink taskId={worker.task_id}>Task {worker.task_id}</TaskLink>
          )
        ) : (
          <Badge size="sm" color="red" variant="light">
            silent for {duration(worker.heartbeat_age_s)}
          </Badge>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
