import { Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { profileTasksQuery } from "~/api/profiles";
import type { Status } from "~/api/tasks";
import { ErrorNotice } from "~/ui/error-notice";
import { count, counted } from "~/ui/format";
import { StatusBadge } from "~/ui/status-badge";
import { TaskLink } from "~/ui/task-link";
import classes from "./profiles.module.css";

const SHOWN = 8;

/** Tasks that name a profile, the newest first. */
export function UsingTasks({ name }: { name: string }) {
  const query = useQuery(profileTasksQuery(name));
  const { items = [], total = 0, extended_by: above = [] } = query.data ?? {};
  return (
    <div>
      <Text size="sm" fw={600} component="h3" className={classes.subtitle}>
        Used by {query.data ? (total === 0 ? "no task" : counted(total, "task")) : "tasks"}
      </Text>
      {query.isPending && <Skeleton height={24} />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {above.length > 0 && (
        <Text size="xs" className="quiet text-of-users">
          Extended by {above.join(", ")}
        </Text>
      )}
      <ul className={classes.using}>
        {items.slice(0, SHOWN).map((task) => (
          <li key={task.id}>
            <StatusBadge status={task.status as Status} />{" "}
            <TaskLink taskId={task.id} className="text-of-users">
              {task.name}
            </TaskLink>
          </li>
        ))}
      </ul>
      {total > SHOWN && (
        <Text size="xs" className="quiet">
          and {count(total - SHOWN)} more
        </Text>
      )}
    </div>
  );
}
