import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, useCallback, useEffect, useRef, useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import type { SortName, TaskItem } from "~/api/tasks";
import { ago } from "~/ui/format";
import { useRecycledKeys } from "~/ui/recycled-rows";
import { useServiceNow } from "~/ui/use-service-now";
import { cardHeightPx, TALLEST_CARD_PX } from "./card-height";
import { RowMenu } from "./row-menu";
import { TableHead } from "./table-head";
import { TaskRow } from "./task-row";
import classes from "./task-table.module.css";
import { useRowKeys } from "./use-row-keys";

const HEAD_PX = 36;
const ROW_PX = 56;
const CARD_GAP_PX = 8;
/** Room for the bar of selected tasks, whose buttons take several lines over cards. */
const BELOW_PX = { rows: 80, cards: 136 } as const;
const OVERSCAN = 8;
/** So many rows before the end of what was read, the next page is asked for. */
const AHEAD = 40;

interface TaskTableProps {
  rows: readonly TaskItem[];
  /** Rows that there are, with those that are not read yet. */
  total: number;
  sort: SortName;
  isCards: boolean;
  /** Whether the rows are of the filter before, until those of the new one come. */
  isOld: boolean;
  selectedIds: ReadonlySet<number>;
  onSort: (sort: SortName) => void;
  onToggle: (id: number, isRange?: boolean) => void;
  onSelectAll: (ids: readonly number[]) => void;
  onOpen: (id: number) => void;
  /** Called when rows come near that are not read yet. */
  onNeedMore: () => void;
}

interface OpenMenu {
  task: TaskItem;
  button: HTMLElement;
}

/** Tasks as rows, or as cards on narrow screens; only those in sight are there. */
export function TaskTable(props: TaskTableProps) {
  const { rows, total, isCards, onToggle, onOpen, onNeedMore, selectedIds } = props;
  const { mayWrite } = useTaskActions();
  const nowMs = useServiceNow();
  const scroller = useRef<HTMLDivElement>(null);
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  const below = isCards ? BELOW_PX.cards : BELOW_PX.rows;
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (isCards ? cardPx(rows[index]) + CARD_GAP_PX : ROW_PX),
    getItemKey: (index) => rows[index]?.id ?? -index - 1,
    paddingStart: isCards ? CARD_GAP_PX : 0,
    paddingEnd: below,
    // Rows that keys go to stay clear of the bar of selected tasks.
    scrollPaddingEnd: below,
    overscan: OVERSCAN,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured sizes are of the other form.
  useEffect(() => virtual.measure(), [isCards]);
  // The button that a menu stands at is of the other form too.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the form is what closes it.
  useEffect(() => setMenu(null), [isCards]);

  const items = virtual.getVirtualItems();
  const keyOf = useRecycledKeys(items.length);
  const lastShown = items.at(-1)?.index ?? 0;
  const needsMore = rows.length < total && lastShown >= rows.length - AHEAD;
  useEffect(() => {
    if (needsMore) onNeedMore();
  }, [needsMore, onNeedMore]);

  const activeId = useRowKeys({
    rows,
    show: (index) => virtual.scrollToIndex(index, { align: "auto" }),
    find: (id) => scroller.current?.querySelector<HTMLElement>(`[data-id="${id}"]`) ?? null,
    open: onOpen,
    toggle: mayWrite ? onToggle : null,
  });

  const click = useCallback(
    (event: MouseEvent<HTMLElement>) => {
      const target = event.target instanceof Element ? event.target : null;
      const id = Number(target?.closest<HTMLElement>("[data-id]")?.dataset.id);
      const button = target?.closest<HTMLElement>("[data-menu]");
      const task = rows.find((row) => row.id === id);
      if (!task) return;
      if (target?.closest("[data-select]")) onToggle(id, event.shiftKey);
      else if (button) setMenu({ task, button });
      else if (target?.closest("[data-open]") && isPlain(event)) {
        event.preventDefault();
        onOpen(id);
      }
    },
    [rows, onToggle, onOpen],
  );

  return (
    <div
      ref={scroller}
      className={`${classes.columns} ${classes.scroller}`}
      data-old={props.isOld || undefined}
      data-scroll-restoration-id="tasks"
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: what is clicked are buttons and links. */}
      <div
        role="grid"
        aria-label="Tasks"
        aria-rowcount={total + 1}
        aria-multiselectable={mayWrite}
        aria-busy={props.isOld}
        onClick={click}
      >
        <TableHead {...props} mayWrite={mayWrite} />
        <div role="rowgroup" className={classes.rows} style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const task = rows[index];
            const key = keyOf(index);
            if (!task) return <RowToCome key={key} top={start} isCard={isCards} />;
            return (
              <TaskRow
                key={key}
                task={task}
                index={index}
                top={start}
                age={ago(task.created_at, nowMs)}
                isCard={isCards}
                isActive={task.id === activeId}
                isSelected={selectedIds.has(task.id)}
                isMenuOpen={task.id === menu?.task.id}
                mayWrite={mayWrite}
              />
            );
          })}
        </div>
      </div>
      {menu && <RowMenu task={menu.task} button={menu.button} onClose={() => setMenu(null)} />}
    </div>
  );
}

/** A row that is not read yet, in the form that it will have. */
export function RowToCome({ top, isCard }: { top: number; isCard: boolean }) {
  return (
    <div
      className={isCard ? classes.cardToCome : classes.rowToCome}
      style={{ transform: `translateY(${top}px)` }}
      aria-hidden
    >
      <span className={classes.ghost} />
      <span className={classes.ghost} />
      <span className={classes.ghost} />
    </div>
  );
}

const GHOSTS = [0, 1, 2, 3, 4, 5, 6, 7];

/** The list before anything of it is read. */
export function ListToCome({ isCards }: { isCards: boolean }) {
  const [first, each] = isCards ? [CARD_GAP_PX, TALLEST_CARD_PX + CARD_GAP_PX] : [HEAD_PX, ROW_PX];
  return (
    <div
      className={`${classes.columns} ${classes.toCome}`}
      aria-busy="true"
      role="status"
      aria-label="Loading tasks"
    >
      {!isCards && <div className={classes.headToCome} aria-hidden />}
      {GHOSTS.map((index) => (
        <RowToCome key={index} top={first + each * index} isCard={isCards} />
      ))}
    </div>
  );
}

const cardPx = (task: TaskItem | undefined): number =>
  task ? cardHeightPx(task) : TALLEST_CARD_PX;

const isPlain = (event: MouseEvent): boolean =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
