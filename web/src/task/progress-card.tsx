import { Group, Progress, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Task } from "~/api/tasks";
import { counted, duration, percent, timeLeft } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { statusLabel } from "~/ui/status-badge";
import { WithCode } from "~/ui/with-code";
import { phaseLines, shareDone } from "./phase";
import classes from "./progress-card.module.css";
import { useTask } from "./task-context";
import { usePhase } from "./use-phase";

/** How a task stands: what it waits for, what it is doing, or why it ended. */
export function ProgressCard() {
  const task = useTask();
  return (
    <section className="card card-body" aria-label="Status">
      {task.status === "running" ? <Running task={task} /> : <Resting task={task} />}
    </section>
  );
}

function Running({ task }: { task: Task }) {
  const phase = usePhase(task.id, true);
  const { launches, experiments_completed, experiments_failed, further_launches } = task.progress;
  const finished = experiments_completed + experiments_failed + (further_launches ?? 0);
  const levels = Array.isArray(task.plan?.levels) ? task.plan.levels.length : 1;
  const share = shareDone(finished, phase, launches, levels);
  const asked = task.requested_action;
  return (
    <Stack gap={8}>
      <Group justify="space-between" gap="xs">
        <Text fw={600}>
          {launches === null
            ? "Preparing"
            : `${finished} of at most ${counted(launches, "launch", "launches")} finished`}
        </Text>
        <Text className="quiet" size="sm">
          {task.left_s === null || task.left_s === undefined
            ? `${duration(task.wall_s)} so far`
            : timeLeft(task.left_s)}
        </Text>
      </Group>
      <Progress
        value={100 * (share ?? 0)}
        size="md"
        animated={share === null}
        aria-label={share === null ? "Progress is not known yet" : `${percent(share, 0)} done`}
      />
      <ul className={classes.lines} aria-live="polite">
        {asked !== "" && (
          <li>
            {asked === "pause" ? "Pausing" : "Cancelling"}: its engines are being stopped, within
            seconds
          </li>
        )}
        {phaseLines(phase, launches).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {phase.remarks.length > 0 && (
        <Stack gap={4} className={classes.remarks}>
          {phase.remarks.map((remark) => (
            <Remark key={remark}>{asSentence(remark)}</Remark>
          ))}
        </Stack>
      )}
    </Stack>
  );
}

function Remark({ children }: { children: ReactNode }) {
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <IconAlertTriangle
        size={15}
        aria-label="Warning"
        style={{ flex: "none", marginTop: 2, color: "var(--warn)" }}
      />
      <Text size="sm" className="text-of-users">
        {children}
      </Text>
    </Group>
  );
}

function Resting({ task }: { task: Task }) {
  const { title, text } = standing(task);
  const { experiments_completed: completed, experiments_failed: failed } = task.progress;
  const facts = [
    completed + failed > 0 ? counted(completed + failed, "launch", "launches") : "",
    failed > 0 ? `${failed} failed` : "",
    task.wall_s > 0 ? `${duration(task.wall_s)} of work` : "",
  ].filter(Boolean);
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs">
        <Text fw={600}>{title}</Text>
        <Text className="quiet" size="sm">
          {facts.join(" · ")}
        </Text>
      </Group>
      <Text size="sm" className="text-of-users">
        <WithCode text={text} />
      </Text>
    </Stack>
  );
}

/** How a task that does not run stands, and what can be done. */
export function standing(task: Task): { title: string; text: string } {
  const label = statusLabel(task.status);
  const ended = asSentence(task.stop_reason);
  switch (task.status) {
    case "pending":
      return {
        title: label,
        text: "Start it to hand it to the workers. Until then it can be edited.",
      };
    case "queued":
      return waiting(task);
    case "paused":
      return { title: label, text: join(ended, "Resume it to go on; no launch is repeated.") };
    case "failed":
      return {
        title: label,
        text: join(ended, "Resume it when the cause is gone, or restart it from the beginning."),
      };
    case "cancelled":
    case "interrupted":
      return {
        title: label,
        text: join(ended, "What was measured is kept; resume it to go on from there."),
      };
    default:
      return { title: label, text: ended };
  }
}

function waiting(task: Task): { title: string; text: string } {
  if (!task.waiting) return { title: "Queued", text: "A worker takes it when its turn comes." };
  const { position, reason, remedy } = task.waiting;
  return {
    title: position === 1 ? "Queued, next in turn" : `Queued, number ${position} in turn`,
    text: `${asSentence(reason)} ${asSentence(remedy)}`,
  };
}

const join = (...parts: string[]): string => parts.filter(Boolean).join(" ");
