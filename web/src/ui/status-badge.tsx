import {
  IconAlertTriangle,
  IconCheck,
  IconCircleDashed,
  IconClock,
  IconPlayerPause,
  IconPlayerStop,
  IconProgress,
  IconX,
} from "@tabler/icons-react";
import type { Status, TaskItem } from "~/api/tasks";
import classes from "./status-badge.module.css";

type Tone = "rests" | "waits" | "runs" | "stopped" | "done" | "failed";

const LOOKS: Record<Status, { label: string; tone: Tone; Icon: typeof IconCheck }> = {
  pending: { label: "Not started", tone: "rests", Icon: IconCircleDashed },
  queued: { label: "Queued", tone: "waits", Icon: IconClock },
  running: { label: "Running", tone: "runs", Icon: IconProgress },
  paused: { label: "Paused", tone: "stopped", Icon: IconPlayerPause },
  completed: { label: "Completed", tone: "done", Icon: IconCheck },
  failed: { label: "Failed", tone: "failed", Icon: IconX },
  cancelled: { label: "Cancelled", tone: "rests", Icon: IconPlayerStop },
  interrupted: { label: "Interrupted", tone: "stopped", Icon: IconAlertTriangle },
};
const REQUESTED = { cancel: "Cancelling", pause: "Pausing", "": null } as const;

export const statusLabel = (status: Status): string => LOOKS[status].label;

interface StatusBadgeProps {
  status: Status;
  /** What its worker has been asked for and has not done yet. */
  requested?: TaskItem["requested_action"];
}

/** Status as word, sign and colour: none of them alone. */
export function StatusBadge({ status, requested = "" }: StatusBadgeProps) {
  const { label, tone, Icon } = LOOKS[status];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Icon size={13} aria-hidden />
      {REQUESTED[requested] ?? label}
    </span>
  );
}
