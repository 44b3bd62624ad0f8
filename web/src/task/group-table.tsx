import { Badge, Group, Popover, Text, Title, UnstyledButton } from "@mantine/core";
import { fieldName } from "~/ui/format";
import classes from "./configuration.module.css";
import { type ConfigurationRow, ORIGIN_TITLES } from "./provenance";

/** One of the eight groups: each field, its value, and the layer that it comes from. */
export function GroupTable({ group, rows }: { group: string; rows: readonly ConfigurationRow[] }) {
  const hasReasons = rows.some(({ why }) => why !== "");
  const title = group.charAt(0).toUpperCase() + group.slice(1);
  return (
    <section className="card card-body" aria-labelledby={`group-${group}`}>
      <Title order={2} fz="md" id={`group-${group}`} mb={4}>
        {title}
      </Title>
      <table className={classes.table}>
        <colgroup>
          <col width="26%" />
          <col width={hasReasons ? "26%" : "44%"} />
          <col width={hasReasons ? "18%" : "30%"} />
          {hasReasons && <col />}
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Value</th>
            <th scope="col">From</th>
            {hasReasons && <th scope="col">Why</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path}>
              <th scope="row" title={row.path}>
                {fieldName(row.path)}
              </th>
              <td className={classes.value}>
                <Group gap={6}>
                  <span>{row.value}</span>
                  {row.isSearched && (
                    <Badge size="sm" variant="light" tt="none" fw={550}>
                      searched
                    </Badge>
                  )}
                </Group>
              </td>
              <td className={classes.from}>
                <Origin row={row} />
              </td>
              {hasReasons && (
                <td>
                  <Text size="sm" className="quiet" title={row.source || undefined}>
                    {row.why}
                  </Text>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Origin({ row }: { row: ConfigurationRow }) {
  if (row.origin === null) return <span className="quiet">Not set</span>;
  const title = ORIGIN_TITLES[row.origin];
  const name = row.origin === "user" || row.origin === "base" ? title : row.layer;
  if (row.others.length === 0) return <span title={row.layer}>{name}</span>;
  return (
    <Group gap={4} display="inline-flex">
      <span title={row.layer}>{name}</span>
      <Popover width={380} position="bottom-start" withArrow>
        <Popover.Target>
          <UnstyledButton className={classes.over}>over {row.others.length}</UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          {row.others.map((other) => (
            <Text key={other} size="sm" className="text-of-users">
              {other}
            </Text>
          ))}
        </Popover.Dropdown>
      </Popover>
    </Group>
  );
}
