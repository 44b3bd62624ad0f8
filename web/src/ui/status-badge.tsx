import { Badge } from "@mantine/core";
import {
  IconCheck,
  IconClock,
  IconHandStop,
  IconPlayerPause,
  IconPlayerPlay,
  IconProgress,
  IconX,
} from "@tabler/icons-react";
import type { Status, TaskItem } from "~/api/tasks";

const LOOKS: Record<Status, { label: string; color: string; Icon: typeof IconCheck }> = {
  pending: { label: "Not started", color: "gray", Icon: IconPlayerPlay },
  queued: { label: "Queued", color: "indigo", Icon: IconClock },
  running: { label: "Running", color: "lake", Icon: IconProgress },
  paused: { label: "Paused", color: "yellow", Icon: IconPlayerPause },
  completed: { label: "Completed", color: "green", Icon: IconCheck },
  failed: { label: "Failed", color: "red", Icon: IconX },
  cancelled: { label: "Cancelled", color: "gray", Icon: IconHandStop },
  interrupted: { label: "Interrupted", color: "orange", Icon: IconHandStop },
};

export const statusLabel = (status: Status): string => LOOKS[status].label;

const REQUESTED = { cancel: "Cancelling", pause: "Pausing", "": null } as const;

interface StatusBadgeProps {
  status: Status;
  /** What its worker has been asked for and has not done yet. */
  requested?: TaskItem["requested_action"];
}

/** Status as word, sign and colour: none of them alone. */
export function StatusBadge({ status, requested = "" }: StatusBadgeProps) {
  const { label, color, Icon } = LOOKS[status];
  return (
    <Badge
      color={color}
      variant="light"
      autoContrast
      leftSection={<Icon size={12} aria-hidden />}
      tt="none"
      fw={550}
      style={{ flexShrink: 0 }}
    >
      {REQUESTED[requested] ?? label}
    </Badge>
  );
}
