import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type MouseEvent, memo, useCallback, useRef } from "react";
import type { Experiment } from "~/api/experiments";
import { useFocusOfRow, useRecycledKeys } from "~/ui/recycled-rows";
import { type Column, INDEX, STATUS } from "./columns";
import classes from "./experiment-table.module.css";
import { MOST_MARKED } from "./search-params";
import { ExperimentStatusText } from "./status-badge";

const ROW_PX = 36;
const MARK_PX = 40;
const OVERSCAN = 8;

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
    overscan: OVERSCAN,
  });
  const items = virtual.getVirtualItems();
  const keyOf = useRecycledKeys(items.length);
  const widthPx = columns.reduce((sum, { widthPx }) => sum + widthPx, MARK_PX);
  const layout = {
    minWidth: widthPx,
    "--columns": [
      `${MARK_PX}px`,
      ...columns.map(({ widthPx }) => `minmax(${widthPx}px, ${widthPx}fr)`),
    ].join(" "),
  } as CSSProperties;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard.
    <section ref={scroller} className={classes.scroll} tabIndex={0} aria-label="Experiments">
      <div role="table" aria-label="Experiments" aria-rowcount={rows.length + 1} style={layout}>
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.headRow} aria-rowindex={1}>
            <div role="cell" />
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className={classes.rows} style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index: place, start }) => {
            const row = rows[place];
            if (row === undefined) return null;
            const isMarked = marked.includes(row.index);
            return (
              <Row
                key={keyOf(place)}
                taskId={taskId}
                row={row}
                place={place}
                top={start}
                columns={columns}
                isMarked={isMarked}
                mayMark={isMarked || marked.length < MOST_MARKED}
                onMark={onMark}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
    </section>
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
    <div
      role="columnheader"
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
    </div>
  );
}

interface RowProps {
  taskId: number;
  row: Experiment;
  place: number;
  /** Distance from the first row, in px. */
  top: number;
  columns: readonly Column[];
  isMarked: boolean;
  mayMark: boolean;
  onMark: (index: number, isMarked: boolean) => void;
  onOpen: (index: number) => void;
}

/** A row of the browser's own elements: dozens change with every frame of scrolling. */
const Row = memo(function Row(props: RowProps) {
  const { taskId, row, place, top, columns, isMarked, mayMark, onMark, onOpen } = props;
  const host = useRef<HTMLDivElement>(null);
  useFocusOfRow(host, row.index);
  return (
    <div
      ref={host}
      role="row"
      className={classes.row}
      style={{ transform: `translateY(${top}px)` }}
      aria-rowindex={place + 2}
      aria-selected={isMarked}
    >
      <div role="cell">
        <input
          type="checkbox"
          className={classes.check}
          checked={isMarked}
          disabled={!mayMark}
          onChange={(event) => onMark(row.index, event.currentTarget.checked)}
          aria-label={`Mark experiment ${row.index}`}
        />
      </div>
      {columns.map((column) => (
        <Cell key={column.id} taskId={taskId} row={row} column={column} onOpen={onOpen} />
      ))}
    </div>
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
      <div role="rowheader" className={classes.number}>
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
      </div>
    );
  }
  if (column.id === STATUS) {
    return (
      <div role="cell">
        <ExperimentStatusText status={row.status} />
      </div>
    );
  }
  const text = column.text(row);
  return (
    <div role="cell" className={column.isNumeric ? classes.number : undefined} title={text}>
      {text}
    </div>
  );
}

/** Whether a click asks for another tab or window, which is the browser's own affair. */
const opensElsewhere = (event: MouseEvent): boolean =>
  event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
