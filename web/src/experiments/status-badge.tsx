import { Badge } from "@mantine/core";
import { IconCheck, IconHandStop, IconProgress, IconX } from "@tabler/icons-react";
import type { ExperimentStatus } from "~/api/experiments";
import classes from "./status-badge.module.css";

const LOOKS: Record<ExperimentStatus, { label: string; color: string; Icon: typeof IconCheck }> = {
  running: { label: "Running", color: "lake", Icon: IconProgress },
  completed: { label: "Completed", color: "green", Icon: IconCheck },
  failed: { label: "Failed", color: "red", Icon: IconX },
  interrupted: { label: "Interrupted", color: "orange", Icon: IconHandStop },
};

export const experimentStatusLabel = (status: ExperimentStatus): string => LOOKS[status].label;

/** Status of a launch as word, sign and colour. */
export function ExperimentStatusBadge({ status }: { status: ExperimentStatus }) {
  const { label, color, Icon } = LOOKS[status];
  return (
    <Badge
      color={color}
      variant="light"
      autoContrast
      size="sm"
      tt="none"
      fw={550}
      leftSection={<Icon size={11} aria-hidden />}
    >
      {label}
    </Badge>
  );
}

/** The same, light enough for the rows of a long table. */
export function ExperimentStatusText({ status }: { status: ExperimentStatus }) {
  const { label, Icon } = LOOKS[status];
  return (
    <span className={`${classes.text} ${classes[status]}`}>
      <Icon size={13} aria-hidden />
      {label}
    </span>
  );
}
