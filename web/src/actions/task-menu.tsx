import { Menu } from "@mantine/core";
import type { ReactNode } from "react";
import { useTaskActions } from "./actions-provider";
import { type ActionTarget, possibleVerbs, VERBS, type Verb } from "./verbs";

interface TaskMenuProps {
  task: ActionTarget;
  /** The button that opens it. */
  children: ReactNode;
  /** What is offered beside the menu already. */
  without?: Verb | null;
  opened?: boolean;
  onClose?: () => void;
}

/** Everything that can be done to a task as it stands. */
export function TaskMenu({ task, children, without, opened, onClose }: TaskMenuProps) {
  return (
    <Menu
      position="bottom-end"
      opened={opened}
      onClose={onClose}
      // A menu holds items and nothing else that takes the focus.
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>{children}</Menu.Target>
      <Menu.Dropdown>
        <TaskMenuItems task={task} without={without} />
      </Menu.Dropdown>
    </Menu>
  );
}

function TaskMenuItems({ task, without }: Pick<TaskMenuProps, "task" | "without">) {
  const { run } = useTaskActions();
  const verbs = possibleVerbs(task).filter((verb) => verb !== without);
  return (
    <>
      {verbs.map((verb) => {
        const { label, Icon, isDangerous } = VERBS[verb];
        return (
          <Menu.Item
            key={verb}
            leftSection={<Icon size={16} aria-hidden />}
            c={isDangerous ? "var(--bad)" : undefined}
            onClick={() => run(verb, [task])}
          >
            {label}
          </Menu.Item>
        );
      })}
      {task.status === "running" && (
        <Menu.Label>A running task can be deleted once it is cancelled.</Menu.Label>
      )}
    </>
  );
}
