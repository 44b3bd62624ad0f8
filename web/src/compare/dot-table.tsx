import { useVirtualizer } from "@tanstack/react-virtual";
import { Fragment, useMemo, useRef, useState } from "react";
import table from "~/explorer/point-table.module.css";
import { counted } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { TableGap } from "~/ui/table-gap";
import { type Dots, dotName, dotRows } from "./dots";
import { intervalInWords } from "./intervals";
import type { Series } from "./series";

const ROW_PX = 30;

interface DotTableProps {
  series: readonly Series[];
  dots: readonly Dots[];
  x: string;
  y: string;
}

/** What the chart draws as numbers. */
export function DotTable(props: DotTableProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The chart as a table</summary>
      {isOpen && <Rows {...props} />}
    </details>
  );
}

/** All dots, of which only those in sight are drawn. */
function Rows({ series, dots, x, y }: DotTableProps) {
  const rows = useMemo(() => dotRows(series, dots), [series, dots]);
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const figures = [quantity(x), quantity(y)];
  const width = 2 + 2 * figures.length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys.
    <section ref={scroller} className={table.scroller} tabIndex={0} aria-label="Table of points">
      <table className={table.table} aria-rowcount={rows.length + 1}>
        <caption className={table.caption}>{counted(rows.length, "point")}</caption>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col">Point</th>
            {figures.map(({ key, title }) => (
              <Fragment key={key}>
                <th scope="col" data-numeric>
                  {title}
                </th>
                <th scope="col" data-numeric>
                  Its 95 % interval
                </th>
              </Fragment>
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <TableGap height={above} columns={width} />}
          {items.map(({ index, key }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <tr key={key} aria-rowindex={index + 2}>
                <th scope="row" className="text-of-users">
                  {row.series.name}
                </th>
                <td className="text-of-users">{dotName(row.point)}</td>
                {figures.map((figure) => (
                  <Fragment key={figure.key}>
                    <td data-numeric>{figure.format(row.point.figures[figure.key]?.value)}</td>
                    <td data-numeric className="quiet">
                      {intervalInWords(row.point, figure)}
                    </td>
                  </Fragment>
                ))}
              </tr>
            );
          })}
          {below > 0 && <TableGap height={below} columns={width} />}
        </tbody>
      </table>
    </section>
  );
}
