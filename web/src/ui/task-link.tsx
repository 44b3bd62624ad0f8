import { Anchor, type AnchorProps } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** Link to a task's page. */
export function TaskLink({
  taskId,
  children,
  ...look
}: AnchorProps & { taskId: number; children: ReactNode }) {
  return (
    <Anchor
      size="sm"
      {...look}
      renderRoot={(props) => <Link to="/tasks/$taskId" params={{ taskId }} {...props} />}
    >
      {children}
    </Anchor>
  );
}
