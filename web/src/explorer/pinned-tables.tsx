import { Table, Text } from "@mantine/core";
import { Fragment } from "react";
import type { OperatingPoint } from "~/api/points";
import { change, fieldName, load, setting } from "~/ui/format";
import { range } from "~/ui/range";
import { LOAD } from "./brushes";
import { pointName } from "./describe-point";
import classes from "./pinned-card.module.css";
import type { FigureRow, SettingRow } from "./selection";

const LETTERS = "AB";

interface SettingTableProps {
  title: string;
  points: readonly OperatingPoint[];
  rows: readonly SettingRow[];
}

export function SettingTable({ title, points, rows }: SettingTableProps) {
  if (rows.length === 0) {
    return points.length > 1 ? (
      <Text size="xs" className="quiet">
        All settings are the same.
      </Text>
    ) : null;
  }
  return (
    <Table className={classes.table} fz="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{title}</Table.Th>
          <PointHeads points={points} />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ name, values }) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" className={classes.name} title={name}>
              {name === LOAD ? "Load" : fieldName(name)}
            </Table.Th>
            {points.map((point, place) => (
              <Table.Td key={point.id} className="text-of-users">
                {name === LOAD ? load(point.load) : setting(values[place])}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface FigureTableProps {
  points: readonly OperatingPoint[];
  rows: readonly FigureRow[];
}

/** Figures of one point with their intervals, or of two with what the second changes. */
export function FigureTable({ points, rows }: FigureTableProps) {
  const isComparison = points.length > 1;
  return (
    <Table className={classes.table} fz="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Figures</Table.Th>
          <PointHeads points={points} isNumeric />
          <Table.Th scope="col" className={classes.number}>
            {isComparison ? "B to A" : "Interval"}
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={row.quantity.key}>
            <Table.Th scope="row" className={classes.name} title={row.quantity.title}>
              <Breakable name={row.quantity.short} />
            </Table.Th>
            {row.values.map((value, place) => (
              <Table.Td key={points[place]?.id} className={classes.number}>
                {row.quantity.format(value)}
              </Table.Td>
            ))}
            <Table.Td className={classes.number}>
              {isComparison ? <Change row={row} /> : <Interval row={row} point={points[0]} />}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function PointHeads({
  points,
  isNumeric = false,
}: {
  points: readonly OperatingPoint[];
  isNumeric?: boolean;
}) {
  return points.map((point, place) => (
    <Table.Th key={point.id} scope="col" className={isNumeric ? classes.number : undefined}>
      {points.length > 1 ? LETTERS[place] : pointName(point)}
    </Table.Th>
  ));
}

/** A name that may go on in another line after its slashes: "requests/s/GPU". */
function Breakable({ name }: { name: string }) {
  return name.split("/").map((part, place) =>
    place === 0 ? (
      part
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of a name have nothing but their place.
      <Fragment key={place}>
        /<wbr />
        {part}
      </Fragment>
    ),
  );
}

function Change({ row }: { row: FigureRow }) {
  const word = row.isBetter === null ? "" : row.isBetter ? "\u00a0better" : "\u00a0worse";
  const look = row.isBetter === null ? "quiet" : row.isBetter ? classes.better : classes.worse;
  return (
    <span className={look}>
      {change(row.change)}
      {word}
    </span>
  );
}

function Interval({ row, point }: { row: FigureRow; point: OperatingPoint | undefined }) {
  const figure = point?.figures[row.quantity.key];
  if (figure?.low == null || figure.high == null) return <span className="quiet">–</span>;
  return (
    <span className="quiet">
      {range(row.quantity.format(figure.low), row.quantity.format(figure.high))}
    </span>
  );
}
