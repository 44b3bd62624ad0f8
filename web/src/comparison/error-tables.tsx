import { Anchor, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { change, count, counted, load, percent } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./comparison.module.css";
import { BANDS, type Errors, type ErrorsBy, type Pair } from "./errors";

interface ErrorTableProps {
  /** What its rows are. */
  head: string;
  rows: readonly ErrorsBy[];
}

/** Errors of several groups of pairs, one a row. */
export function ErrorTable({ head, rows }: ErrorTableProps) {
  const hasIntervals = rows.some(({ errors }) => errors.inInterval !== null);
  return (
    <ScrollingBox label={`Table of errors by ${head}`}>
      <Table className={classes.table} fz="xs" miw={520}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{head}</Table.Th>
            <Table.Th scope="col">Pairs</Table.Th>
            <Table.Th scope="col">Median error</Table.Th>
            <Table.Th scope="col" title="Geometric mean of predicted / measured, less 1">
              Bias
            </Table.Th>
            {BANDS.map((band) => (
              <Table.Th scope="col" key={band}>
                Within {percent(band, 0)}
              </Table.Th>
            ))}
            {hasIntervals && <Table.Th scope="col">In interval</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ value, errors }) => (
            <Table.Tr key={value}>
              <Table.Th scope="row" className="text-of-users">
                {value}
              </Table.Th>
              <Cells errors={errors} hasIntervals={hasIntervals} />
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollingBox>
  );
}

function Cells({ errors, hasIntervals }: { errors: Errors; hasIntervals: boolean }) {
  return (
    <>
      <Table.Td>{count(errors.pairs)}</Table.Td>
      <Table.Td>{percent(errors.median)}</Table.Td>
      <Table.Td>{change(errors.geometricMeanRatio - 1)}</Table.Td>
      {errors.within.map((share, place) => (
        <Table.Td key={BANDS[place]}>{percent(share, 0)}</Table.Td>
      ))}
      {hasIntervals && <Table.Td>{percent(errors.inInterval, 0)}</Table.Td>}
    </>
  );
}

const MOST = 50;

interface WorstTableProps {
  taskId: number;
  pairs: readonly Pair[];
  quantity: Quantity;
}

/** Pairs with the largest errors. */
export function WorstTable({ taskId, pairs, quantity }: WorstTableProps) {
  const worst = pairs.toSorted((a, b) => Math.abs(b.error) - Math.abs(a.error)).slice(0, MOST);
  return (
    <>
      <ScrollingBox label="Table of the largest errors">
        <Table className={classes.table} fz="xs" miw={520}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Experiment</Table.Th>
              <Table.Th scope="col">Load</Table.Th>
              <Table.Th scope="col">Predicted</Table.Th>
              <Table.Th scope="col">Actual</Table.Th>
              <Table.Th scope="col">Error</Table.Th>
              <Table.Th scope="col" className={classes.words}>
                Source
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {worst.map((pair) => (
              <Table.Tr key={`${pair.index} ${pair.load.kind} ${pair.load.value}`}>
                <Table.Th scope="row">
                  <Anchor
                    fz="xs"
                    renderRoot={(props) => (
                      <Link
                        to="/tasks/$taskId/experiments/$index"
                        params={{ taskId, index: pair.index }}
                        {...props}
                      />
                    )}
                  >
                    #{pair.index}
                  </Anchor>
                </Table.Th>
                <Table.Td>{load(pair.load)}</Table.Td>
                <Table.Td>{quantity.format(pair.predicted)}</Table.Td>
                <Table.Td>{quantity.format(pair.actual)}</Table.Td>
                <Table.Td>{change(pair.error)}</Table.Td>
                <Table.Td className={`text-of-users ${classes.words}`}>{pair.source}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollingBox>
      <Text size="xs" className="quiet">
        {pairs.length > MOST
          ? `The ${MOST} largest errors of ${counted(pairs.length, "pair")}.`
          : `All ${counted(pairs.length, "pair")} that were both predicted and measured.`}
      </Text>
    </>
  );
}
