import { Badge, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type LauncherSummary, launchersQuery } from "~/api/system";
import { WithCode } from "~/ui/with-code";
import { SystemCard } from "./card";
import classes from "./system.module.css";

/** Where engines can run from the service's machine, and what is missing where they cannot. */
export function LaunchersCard() {
  const query = useQuery(launchersQuery);
  return (
    <SystemCard id="system-launchers" title="Launchers" query={query}>
      {(launchers) => (
        <Table className={classes.table} fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Launcher</Table.Th>
              <Table.Th scope="col">State</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {launchers.map((launcher) => (
              <LauncherRow key={launcher.name} launcher={launcher} />
            ))}
          </Table.Tbody>
        </Table>
      )}
    </SystemCard>
  );
}

export function LauncherRow({ launcher }: { launcher: LauncherSummary }) {
  const { name, available, allowed, about, problem, remedy } = launcher;
  return (
    <Table.Tr>
      <Table.Th scope="row" className="text-of-users">
        {name}
        <Text size="xs" className="quiet">
          {available ? about : problem}
        </Text>
        {remedy !== "" && (
          <Text size="xs" className="quiet">
            Remedy: <WithCode text={remedy} />
          </Text>
        )}
      </Table.Th>
      <Table.Td data-label="State">
        <Badge
          size="sm"
          variant="light"
          miw="max-content"
          color={available && allowed ? "green" : "gray"}
        >
          {allowed ? (available ? "available" : "missing") : "forbidden"}
        </Badge>
      </Table.Td>
    </Table.Tr>
  );
}
