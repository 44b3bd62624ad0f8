import { Table, Text } from "@mantine/core";
import { figureCells } from "~/experiments/diff";
import diff from "~/experiments/diff-view.module.css";
import { change, count, fieldName, percent } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { ScrollingBox } from "~/ui/scrolling-box";
import { type Changes, COMPARED } from "./changes";
import { isComparable } from "./mixture";
import { differingRows, type Series } from "./series";

const COLUMN_PX = 170;

const toneOf = (isGood: boolean | null) =>
  isGood === null ? "quiet" : isGood ? diff.better : diff.worse;

function Heads({ series, first }: { series: readonly Series[]; first: string }) {
  return (
    <tr>
      <th scope="col">{first}</th>
      {series.map(({ key, name, isPredicted }, place) => (
        <th key={key} scope="col" className="text-of-users">
          {name}
          {isPredicted && (
            <Text size="xs" className="quiet">
              predicted
            </Text>
          )}
          {place === 0 && (
            <Text size="xs" className="quiet">
              baseline
            </Text>
          )}
        </th>
      ))}
    </tr>
  );
}

/** Facts, settings and figures of the points that stand for the series; what differs comes first. */
export function DifferenceTable({ series }: { series: readonly Series[] }) {
  const differing = differingRows(series);
  const [first] = series;
  // Figures that may be far off do not tell which is better.
  const isUnclear = series.map(
    (one) =>
      first !== undefined &&
      (!isComparable(first, one) || [first, one].some(({ best }) => best?.is_disturbed)),
  );
  const figures = COMPARED.map((name) => ({
    shown: quantity(name),
    cells: figureCells(
      quantity(name),
      series.map(({ best }) => best?.figures[name]?.value),
    ),
  }));
  return (
    <ScrollingBox label="Table of differences">
      <table className={diff.table} style={{ minWidth: COLUMN_PX * (series.length + 1) }}>
        <thead>
          <Heads series={series} first="What differs" />
        </thead>
        <tbody>
          {series.some(({ best }) => best !== null) &&
            figures.map(({ shown, cells }) => (
              <tr key={shown.key}>
                <th scope="row">{shown.title}</th>
                {cells.map((cell, place) => (
                  <td key={series[place]?.key}>
                    {cell.text}
                    {cell.change !== null && !isUnclear[place] && (
                      <Text size="xs" className={toneOf(cell.isBetter)}>
                        {change(cell.change)}
                        {cell.isBetter === null ? "" : cell.isBetter ? " better" : " worse"}
                      </Text>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          {differing.map(({ path, values }) => (
            <tr key={path} className={diff.differs}>
              <th scope="row" title={path}>
                {path.includes(".") ? fieldName(path) : path}
              </th>
              {values.map((value, place) => (
                <td key={series[place]?.key} className="text-of-users">
                  {value}
                </td>
              ))}
            </tr>
          ))}
          {differing.length === 0 && (
            <tr>
              <td colSpan={series.length + 1}>Nothing that they state differs.</td>
            </tr>
          )}
        </tbody>
      </table>
    </ScrollingBox>
  );
}

interface ChangeTableProps {
  first: Series;
  /** Of each other series against the first. */
  changes: readonly Changes[];
}

/** The same configurations at the same loads, against those of the first series. */
export function ChangeTable({ first, changes }: ChangeTableProps) {
  return (
    <ScrollingBox label="Table of changes">
      <Table fz="xs" miw={560}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Against {first.name}</Table.Th>
            <Table.Th scope="col">Quantity</Table.Th>
            <Table.Th scope="col">Same points</Table.Th>
            <Table.Th scope="col">Median change</Table.Th>
            <Table.Th scope="col">Clearly better</Table.Th>
            <Table.Th scope="col">Clearly worse</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.flatMap(({ series, rows }) =>
            rows.flatMap((one) =>
              one.pairs === 0 ? (
                []
              ) : (
                <Table.Tr key={`${series.key} ${one.quantity}`}>
                  <Table.Th scope="row" className="text-of-users">
                    {series.name}
                  </Table.Th>
                  <Table.Td>{quantity(one.quantity).short}</Table.Td>
                  <Table.Td>{count(one.pairs)}</Table.Td>
                  <Table.Td className={toneOf(one.isBetter)}>{change(one.median)}</Table.Td>
                  <Table.Td>{share(one.better, one.judged)}</Table.Td>
                  <Table.Td>{share(one.worse, one.judged)}</Table.Td>
                </Table.Tr>
              ),
            ),
          )}
        </Table.Tbody>
      </Table>
    </ScrollingBox>
  );
}

const share = (some: number, all: number) =>
  all === 0 ? "–" : `${count(some)} (${percent(some / all, 0)})`;
