import { Group, List, Stack, Table, Text } from "@mantine/core";
import type { DatabaseReport, MigrationNote } from "~/api/migrations";
import { count, counted } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import classes from "./migration.module.css";
import { OutcomeBadge } from "./outcome-badge";

/** Table of the store -> what its rows are to the reader. */
const ROWS: Readonly<Record<string, string>> = {
  tasks: "v1 tasks, as they were",
  experiments: "v1 experiments, as they were",
  parameter_presets: "v1 presets, as they were",
  tasks_v2: "tasks of version 2",
  experiments_v2: "experiments of version 2",
  measurements: "measurements",
  observations: "observations for predictions",
  profiles: "profiles",
};
const UNITS: Readonly<Record<string, string>> = {
  moved: "moved",
  same: "here already",
  changed: "changed since, moved anew",
  worked_on: "left, because they were worked on here since",
  skipped: "not asked for",
};

interface DatabaseReportViewProps {
  report: DatabaseReport;
  /** Whether it is moved, and not only looked at. */
  isMoved: boolean;
}

/** Counts of a database that is or would be moved, and what one has to look at. */
export function DatabaseReportView({ report, isMoved }: DatabaseReportViewProps) {
  const noted = Object.entries(report.notes).filter(([, number]) => number > 0);
  return (
    <Stack gap="sm">
      <Text size="sm">
        {Object.entries(report.units)
          .map(([kind, outcomes]) => `${kind}: ${unitsOf(outcomes, isMoved)}`)
          .join(" · ") || "It is empty."}
      </Text>
      <Table className={classes.table} fz="xs" maw={460}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Rows</Table.Th>
            <Table.Th scope="col" className={classes.number}>
              Number
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {Object.entries(report.rows).map(([table, number]) => (
            <Table.Tr key={table}>
              <Table.Th scope="row">{ROWS[table] ?? table}</Table.Th>
              <Table.Td className={classes.number}>{count(number)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Group gap="xs" aria-label="Outcomes of keys" role="group">
        {noted.map(([outcome, number]) => (
          <Group key={outcome} gap={4}>
            <OutcomeBadge outcome={outcome as MigrationNote["outcome"]} />
            <Text size="xs">{count(number)}</Text>
          </Group>
        ))}
      </Group>
      <Lines
        title="Kept only in version 1's tables: version 2 has no counterpart"
        lines={report.untranslated}
      />
      <Lines
        title="Successful experiments whose metrics become no measurement"
        lines={Object.entries(report.unmeasured).map(
          ([reason, number]) => `${counted(number, "experiment")}: ${reason}`,
        )}
      />
      <Lines title="Drafts, which need something filled in" lines={report.drafts} />
      <Lines
        title={`Kept word for word, since no column holds them: ${counted(report.kept_cells, "cell")}`}
        lines={report.kept}
      />
    </Stack>
  );
}

function unitsOf(outcomes: Readonly<Record<string, number>>, isMoved: boolean): string {
  const words: Readonly<Record<string, string>> = isMoved ? UNITS : { ...UNITS, moved: "to move" };
  return Object.entries(outcomes)
    .map(([outcome, number]) => `${count(number)} ${words[outcome] ?? outcome}`)
    .join(", ");
}

const MOST_LINES = 10;

function Lines({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <List size="xs">
        {lines.slice(0, MOST_LINES).map((line) => (
          <List.Item key={line} className="text-of-users">
            {asSentence(line)}
          </List.Item>
        ))}
        {lines.length > MOST_LINES && (
          <List.Item>and {counted(lines.length - MOST_LINES, "more")}</List.Item>
        )}
      </List>
    </div>
  );
}
