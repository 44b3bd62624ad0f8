import { useLayoutEffect, useState } from "react";
import { TaskMenu } from "~/actions/task-menu";
import type { TaskItem } from "~/api/tasks";
import classes from "./row-menu.module.css";

interface RowMenuProps {
  task: TaskItem;
  /** The button of the row, which the menu opens at. */
  button: HTMLElement;
  onClose: () => void;
}

/** The menu of one row: there is one for all of them, so that a row stays light. */
export function RowMenu({ task, button, onClose }: RowMenuProps) {
  const [isOpen, setOpen] = useState(false);
  useLayoutEffect(() => setOpen(true), []);
  const { left, top, width, height } = button.getBoundingClientRect();
  const close = () => {
    button.focus();
    onClose();
  };
  return (
    <TaskMenu task={task} opened={isOpen} onClose={close}>
      <button
        type="button"
        tabIndex={-1}
        aria-label={`Actions for task ${task.id}`}
        className={classes.anchor}
        style={{ left, top, width, height }}
      />
    </TaskMenu>
  );
}
