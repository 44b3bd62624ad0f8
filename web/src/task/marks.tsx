import { Group, Text } from "@mantine/core";
import { IconHistory, IconRepeat } from "@tabler/icons-react";
import type { Task } from "~/api/tasks";

/** What sets a task apart, in words: a replay, a task of version 1. */
export function Marks({ task }: { task: Task }) {
  const replay = task.config.deployment_mode === "replay" ? task.config.replay : null;
  if (!replay && task.v1_task_id === null) return null;
  return (
    <Group gap="md">
      {replay && (
        <Mark Icon={IconRepeat}>
          Replay: nothing is launched. Every figure and time comes from the recorded table{" "}
          <span className="mono" title={replay.landscape}>
            {replay.landscape.split(/[/\\]/).at(-1)}
          </span>
        </Mark>
      )}
      {task.v1_task_id !== null && (
        <Mark Icon={IconHistory}>
          Task {task.v1_task_id} of version 1, run and shown in the form of version 2
        </Mark>
      )}
    </Group>
  );
}

function Mark({ Icon, children }: { Icon: typeof IconRepeat; children: React.ReactNode }) {
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <Icon size={16} aria-hidden style={{ flex: "none", marginTop: 2 }} />
      <Text size="sm" className="text-of-users">
        {children}
      </Text>
    </Group>
  );
}
