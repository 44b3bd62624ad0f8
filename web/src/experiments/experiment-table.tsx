import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, memo, useCallback, useRef } from "react";
import type { Experiment } from "~/api/experiments";
import { type Column, INDEX, STATUS } from "./columns";
import classes from "./experiment-table.module.css";
import { MOST_MARKED } from "./search-params";
import { ExperimentStatusText } from "./status-badge";

const ROW_PX = 36;
const MARK_PX = 40;

interface ExperimentTableProps {
  taskId: number;
  rows: readonly Experiment[];
  columns: readonly Column[];
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
  marked: readonly number[];
  onMark: (index: number, isMarked: boolean) => void;
}

/** Experiments as rows, of which only those in sight are drawn. */
export function ExperimentTable(props: ExperimentTableProps) {
  const { taskId, rows, columns, sort, onSort, marked, onMark } = props;
  const navigate = useNavigate();
  const onOpen = useCallback(
    (index: number) =>
      void navigate({ to: "/tasks/$taskId/experiments/$index", params: { taskId, index } }),
    [navigate, taskId],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const widthPx = columns.reduce((sum, { widthPx }) => sum + widthPx, MARK_PX);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard.
    <section ref={scroller} className={classes.scroll} tabIndex={0} aria-label="Experiments">
      <table className={classes.table} style={{ width: widthPx }} aria-rowcount={rows.length + 1}>
        <colgroup>
          <col style={{ width: MARK_PX }} />
          {columns.map((column) => (
            <col key={column.id} style={{ width: column.widthPx }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            <td className={classes.mark} />
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer heightPx={above} columns={columns.length + 1} />
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            const isMarked = marked.includes(row.index);
            return (
              <Row
                key={row.index}
                taskId={taskId}
                row={row}
                place={item.index}
                columns={columns}
                isMarked={isMarked}
                mayMark={isMarked || marked.length < MOST_MARKED}
                onMark={onMark}
                onOpen={onOpen}
              />
            );
          })}
          <Spacer heightPx={below} columns={columns.length + 1} />
        </tbody>
      </table>
    </section>
  );
}

function Spacer({ heightPx, columns }: { heightPx: number; columns: number }) {
  if (heightPx <= 0) return null;
  return (
    <tr className={classes.spacer} aria-hidden>
      <td colSpan={columns} style={{ height: heightPx }} />
    </tr>
  );
}

interface HeadingProps {
  column: Column;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}

/** Orders rows by its column: upwards, downwards, then again as launched. */
function Heading({ column, sort, onSort }: HeadingProps) {
  const isUp = sort === column.id;
  const isDown = sort === `-${column.id}`;
  const Arrow = isUp ? IconArrowUp : IconArrowDown;
  return (
    <th
      scope="col"
      className={column.isNumeric ? classes.number : undefined}
      aria-sort={isUp ? "ascending" : isDown ? "descending" : undefined}
      title={column.description}
    >
      <button
        type="button"
        className={classes.sort}
        onClick={() => onSort(isUp ? `-${column.id}` : isDown ? undefined : column.id)}
      >
        <span className={classes.name}>{column.title}</span>
        {(isUp || isDown) && <Arrow size={13} aria-hidden style={{ flex: "none" }} />}
      </button>
    </th>
  );
}

interface RowProps {
  taskId: number;
  row: Experiment;
  place: number;
  columns: readonly Column[];
  isMarked: boolean;
  mayMark: boolean;
  onMark: (index: number, isMarked: boolean) => void;
  onOpen: (index: number) => void;
}

/** A row of the browser's own elements: dozens are drawn anew with every frame of scrolling. */
const Row = memo(function Row(props: RowProps) {
  const { taskId, row, place, columns, isMarked, mayMark, onMark, onOpen } = props;
  return (
    <tr aria-rowindex={place + 2} aria-selected={isMarked}>
      <td className={classes.mark}>
        <input
          type="checkbox"
          className={classes.check}
          checked={isMarked}
          disabled={!mayMark}
          onChange={(event) => onMark(row.index, event.currentTarget.checked)}
          aria-label={`Mark experiment ${row.index}`}
        />
      </td>
      {columns.map((column) => (
        <Cell key={column.id} taskId={taskId} row={row} column={column} onOpen={onOpen} />
      ))}
    </tr>
  );
});

interface CellProps {
  taskId: number;
  row: Experiment;
  column: Column;
  onOpen: (index: number) => void;
}

function Cell({ taskId, row, column, onOpen }: CellProps) {
  if (column.id === INDEX) {
    return (
      <th scope="row" className={classes.number}>
        <a
          href={`/tasks/${taskId}/experiments/${row.index}`}
          className={classes.link}
          aria-label={`Experiment ${row.index}`}
          onClick={(event) => {
            if (opensElsewhere(event)) return;
            event.preventDefault();
            onOpen(row.index);
          }}
        >
          {row.index}
        </a>
      </th>
    );
  }
  if (column.id === STATUS) {
    return (
      <td>
        <ExperimentStatusText status={row.status} />
      </td>
    );
  }
  const text = column.text(row);
  return (
    <td className={column.isNumeric ? classes.number : undefined} title={text}>
      {text}
    </td>
  );
}

/** Whether a click asks for another tab or window, which is the browser's own affair. */
const opensElsewhere = (event: MouseEvent): boolean =>
  event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
