import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./migration.module.css";

export interface TableHead {
  title: string;
  /** In px; the rest of the room where there is none. */
  width?: number;
}

interface FieldTableProps {
  heads: readonly TableHead[];
  size: "xs" | "sm";
  /** Rows; on a phone each is a card of its own. */
  children: ReactNode;
}

/** A table whose rows are cards on a phone. */
export function FieldTable({ heads, size, children }: FieldTableProps) {
  return (
    <Table className={`${classes.table} ${classes.fields}`} fz={size}>
      <Table.Thead>
        <Table.Tr>
          {heads.map(({ title, width }) => (
            <Table.Th key={title} scope="col" w={width}>
              {title}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>{children}</Table.Tbody>
    </Table>
  );
}
