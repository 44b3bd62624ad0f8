import { ActionIcon, Button, Group } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useTaskActions } from "./actions-provider";
import { TaskMenu } from "./task-menu";
import { type ActionTarget, mainVerb, VERBS } from "./verbs";

/** What one most likely wants of a task as a button, and everything else in a menu. */
export function TaskActions({ task }: { task: ActionTarget }) {
  const { run, busy, mayWrite } = useTaskActions();
  if (!mayWrite) return null;
  const main = mainVerb(task);
  const look = main && VERBS[main];
  return (
    <Group gap="xs" wrap="nowrap">
      {main && look && (
        <Button
          size="xs"
          variant={main === "start" || main === "resume" ? "filled" : "default"}
          leftSection={<look.Icon size={14} aria-hidden />}
          loading={busy.has(task.id)}
          onClick={() => run(main, [task])}
        >
          {look.label}
        </Button>
      )}
      <TaskMenu task={task} without={main}>
        <ActionIcon variant="default" size={30} aria-label={`More actions for task ${task.id}`}>
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </TaskMenu>
    </Group>
  );
}
