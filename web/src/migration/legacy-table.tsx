import { Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Status } from "~/api/tasks";
import { moment } from "~/ui/format";
import { StatusBadge } from "~/ui/status-badge";
import { FieldTable, type TableHead } from "./field-table";

/** A task of version 1 in a list. */
export interface ListedLegacyTask {
  id: number;
  runtime: string;
  status: Status;
  createdAt: string | null;
}

interface Column<Row> extends TableHead {
  /** Whether a phone shows the title before each value. */
  isLabelled?: boolean;
  cell: (row: Row) => ReactNode;
}

interface LegacyTableProps<Row extends ListedLegacyTask> {
  rows: readonly Row[];
  name: (row: Row) => ReactNode;
  /** What stands beneath the name, behind number and time. */
  remark?: (row: Row) => string;
  /** Columns behind task, runtime and status. */
  columns: readonly Column<Row>[];
}

/** Tasks of version 1, one a row. */
export function LegacyTable<Row extends ListedLegacyTask>(props: LegacyTableProps<Row>) {
  const { rows, name, remark, columns } = props;
  const heads = [
    { title: "Task" },
    { title: "Runtime", width: 160 },
    { title: "Status", width: 130 },
  ];
  return (
    <FieldTable heads={[...heads, ...columns]} size="sm">
      {rows.map((row) => (
        <Table.Tr key={row.id}>
          <Table.Th scope="row" className="text-of-users">
            {name(row)}
            <Text size="xs" className="quiet">
              v1 task {row.id} · {moment(row.createdAt)}
              {remark && ` · ${remark(row)}`}
            </Text>
          </Table.Th>
          <Table.Td className="text-of-users">{row.runtime}</Table.Td>
          <Table.Td>
            <StatusBadge status={row.status} />
          </Table.Td>
          {columns.map(({ title, isLabelled, cell }) => (
            <Table.Td key={title} data-label={isLabelled ? title : undefined}>
              {cell(row)}
            </Table.Td>
          ))}
        </Table.Tr>
      ))}
    </FieldTable>
  );
}
