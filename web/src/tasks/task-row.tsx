import { IconDots } from "@tabler/icons-react";
import { memo, useRef } from "react";
import type { TaskItem } from "~/api/tasks";
import { moment } from "~/ui/format";
import { useFocusOfRow } from "~/ui/recycled-rows";
import { StatusBadge } from "~/ui/status-badge";
import { cardHeightPx } from "./card-height";
import { BestResult, Marks, ModelName, TaskProgress } from "./task-facts";
import classes from "./task-row.module.css";

export interface TaskRowProps {
  task: TaskItem;
  index: number;
  /** Distance from the top of the list, in px. */
  top: number;
  /** How long ago it was created. */
  age: string;
  isCard: boolean;
  isActive: boolean;
  isSelected: boolean;
  isMenuOpen: boolean;
  mayWrite: boolean;
}

/**
 * A task in the list: a row of a table, or on narrow screens a card of the same parts.
 *
 * Plain elements, and no handlers: the table listens for all of its rows, of which there are many.
 */
export const TaskRow = memo(function TaskRow(props: TaskRowProps) {
  const { task, index, top, isCard, isActive, isSelected } = props;
  const host = useRef<HTMLDivElement>(null);
  useFocusOfRow(host, task.id);
  return (
    <div
      ref={host}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-id={task.id}
      data-active={isActive || undefined}
      tabIndex={-1}
      className={isCard ? classes.card : classes.row}
      style={{
        transform: `translateY(${top}px)`,
        height: isCard ? cardHeightPx(task) : undefined,
      }}
    >
      {isCard ? <CardCells {...props} /> : <RowCells {...props} />}
    </div>
  );
});

function RowCells(props: TaskRowProps) {
  const { task, age } = props;
  return (
    <>
      <SelectCell {...props} />
      <NameCell task={task} />
      <div role="gridcell">
        <StatusBadge status={task.status} requested={task.requested_action} />
      </div>
      <div role="gridcell">
        <TaskProgress task={task} />
      </div>
      <div role="gridcell" className={classes.figures}>
        <BestResult best={task.best} />
      </div>
      <div role="gridcell" className={classes.wide}>
        <div className={classes.clipped} title={task.engine}>
          {task.engine}
        </div>
        <div className={classes.under}>{task.engine_version}</div>
      </div>
      <div role="gridcell" className={classes.wide}>
        <ModelName model={task.model} />
      </div>
      <div role="gridcell" className={`quiet ${classes.age}`} title={moment(task.created_at)}>
        {age}
      </div>
      <MenuCell {...props} />
    </>
  );
}

function CardCells(props: TaskRowProps) {
  const { task, age } = props;
  return (
    <>
      <SelectCell {...props} />
      <NameCell task={task} />
      <MenuCell {...props} />
      <div role="gridcell" className={classes.cardStatus}>
        <StatusBadge status={task.status} requested={task.requested_action} />
        <span className={classes.under}>{age}</span>
      </div>
      {task.status !== "pending" && (
        <div role="gridcell" className={classes.cardWhole}>
          <TaskProgress task={task} />
        </div>
      )}
      {task.best && (
        <div role="gridcell" className={classes.cardWhole}>
          <BestResult best={task.best} />
        </div>
      )}
    </>
  );
}

function NameCell({ task }: { task: TaskItem }) {
  return (
    <div role="gridcell" className={classes.name}>
      <a
        href={`/tasks/${task.id}`}
        className={`${classes.link} ${classes.clipped}`}
        title={[task.name, task.description].filter(Boolean).join("\n\n")}
        data-open
      >
        <bdi>{task.name}</bdi>
      </a>
      <div className={classes.under}>
        <span>{task.id}</span>
        <Marks task={task} />
        <span className={`${classes.narrow} ${classes.clipped}`}>
          <bdi>{task.model}</bdi>, {task.engine}
        </span>
        {task.worker && <span className={classes.clipped}>on {task.worker}</span>}
      </div>
    </div>
  );
}

function SelectCell({ task, isSelected, mayWrite }: TaskRowProps) {
  return (
    <div role="gridcell" className={classes.above}>
      {mayWrite && (
        <input
          type="checkbox"
          className={classes.checkbox}
          checked={isSelected}
          readOnly
          data-select
          aria-label={`Select task ${task.id}, ${task.name}`}
        />
      )}
    </div>
  );
}

/** Made once: there is one in every row. */
const DOTS = <IconDots size={16} aria-hidden />;

function MenuCell({ task, isMenuOpen, mayWrite }: TaskRowProps) {
  return (
    <div role="gridcell" className={classes.above}>
      {mayWrite && (
        <button
          type="button"
          className={classes.more}
          data-menu
          aria-haspopup="menu"
          aria-expanded={isMenuOpen}
          aria-label={`Actions for task ${task.id}, ${task.name}`}
        >
          {DOTS}
        </button>
      )}
    </div>
  );
}
