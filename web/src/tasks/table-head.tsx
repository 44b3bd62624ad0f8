import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { SortName, TaskItem } from "~/api/tasks";
import classes from "./task-table.module.css";

interface Column {
  title: string;
  /** Orders that its head switches between; the first one comes first. */
  sorts?: [SortName, SortName];
  className?: string;
}

const COLUMNS: readonly Column[] = [
  { title: "Task", sorts: ["name", "-name"] },
  { title: "Status", sorts: ["status", "-status"] },
  { title: "Progress" },
  { title: "Best result", className: classes.right },
  { title: "Engine", className: classes.wide },
  { title: "Model", className: classes.wide },
  { title: "Created", sorts: ["-created_at", "created_at"], className: classes.right },
];

interface TableHeadProps {
  rows: readonly TaskItem[];
  sort: SortName;
  isCards: boolean;
  mayWrite: boolean;
  selectedIds: ReadonlySet<number>;
  onSort: (sort: SortName) => void;
  onSelectAll: (ids: readonly number[]) => void;
}

export function TableHead({ sort, isCards, onSort, ...selecting }: TableHeadProps) {
  return (
    <div role="rowgroup" className={isCards ? classes.unseen : classes.head}>
      <div role="row" className={classes.headRow} aria-rowindex={1}>
        <div role="columnheader">
          <SelectAll {...selecting} />
        </div>
        {COLUMNS.map((column) => (
          <div
            key={column.title}
            role="columnheader"
            className={column.className}
            aria-sort={directionOf(column, sort)}
          >
            {column.sorts ? (
              <SortButton column={column} sort={sort} onSort={onSort} />
            ) : (
              column.title
            )}
          </div>
        ))}
        <div role="columnheader">
          <span className={classes.unseen}>Actions</span>
        </div>
      </div>
    </div>
  );
}

interface SortButtonProps {
  column: Column;
  sort: SortName;
  onSort: (sort: SortName) => void;
}

function SortButton({ column: { title, sorts }, sort, onSort }: SortButtonProps) {
  if (!sorts) return null;
  const isSorted = sorts.includes(sort);
  const Icon = sort.startsWith("-") ? IconArrowDown : IconArrowUp;
  return (
    <button
      type="button"
      className={classes.sort}
      onClick={() => onSort(sort === sorts[0] ? sorts[1] : sorts[0])}
    >
      {title}
      {isSorted && <Icon size={13} aria-hidden />}
    </button>
  );
}

function SelectAll({
  rows,
  mayWrite,
  selectedIds,
  onSelectAll,
}: Omit<TableHeadProps, "sort" | "isCards" | "onSort">) {
  if (!mayWrite) return null;
  const isAll = rows.length > 0 && rows.every((row) => selectedIds.has(row.id));
  const isSome = !isAll && rows.some((row) => selectedIds.has(row.id));
  return (
    <input
      type="checkbox"
      className={classes.checkbox}
      aria-label="Select all tasks"
      checked={isAll}
      ref={(box) => {
        if (box) box.indeterminate = isSome;
      }}
      onChange={() => onSelectAll(isAll ? [] : rows.map((row) => row.id))}
    />
  );
}

function directionOf({ sorts }: Column, sort: SortName): "ascending" | "descending" | undefined {
  if (!sorts?.includes(sort)) return undefined;
  return sort.startsWith("-") ? "descending" : "ascending";
}
