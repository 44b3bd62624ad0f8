import { Box, Button, Group, Skeleton, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { TaskActions } from "~/actions/task-actions";
import { ApiProblem } from "~/api/problems";
import { type Task, taskQuery } from "~/api/tasks";
import { NotFoundPage } from "~/app/not-found";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { device, moment } from "~/ui/format";
import { StatusBadge } from "~/ui/status-badge";
import { Marks } from "./marks";
import { TaskContext } from "./task-context";
import classes from "./task-page.module.css";
import { TaskTabs } from "./task-tabs";

const route = getRouteApi("/tasks/$taskId");

/** Frame of a task's pages: what it is, how it stands, what can be done, and the ways into it. */
export function TaskPage() {
  const { taskId } = route.useParams();
  if (!Number.isSafeInteger(taskId) || taskId < 1) return <NotFoundPage />;
  return <LoadedTask taskId={taskId} />;
}

function LoadedTask({ taskId }: { taskId: number }) {
  const { data: task, error, isPending, refetch } = useQuery(taskQuery(taskId));
  if (error instanceof ApiProblem && error.isGone) return <Gone taskId={taskId} />;
  if (isPending) return <Loading />;
  if (task === undefined) {
    return (
      <Box className="page page-wide">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </Box>
    );
  }
  return (
    <TaskContext value={task}>
      <Box className="page page-wide">
        <Header task={task} />
        <TaskTabs task={task} />
        <Outlet />
      </Box>
    </TaskContext>
  );
}

function Header({ task }: { task: Task }) {
  const facts = [
    `Task ${task.id}`,
    task.model,
    [task.engine, task.engine_version].filter(Boolean).join(" "),
    task.device && device(task.device),
    task.ended_at ? `ended ${moment(task.ended_at)}` : `created ${moment(task.created_at)}`,
  ].filter(Boolean);
  return (
    <Stack gap={8}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <Stack gap={4} className={classes.title}>
          <Group gap="4px 12px" align="center">
            <Title order={1} fz={22} className="text-of-users" dir="auto">
              {task.name}
            </Title>
            <StatusBadge status={task.status} requested={task.requested_action} />
          </Group>
          <div className={classes.facts}>
            {[...new Set(facts)].map((fact) => (
              <span key={fact} className="text-of-users">
                {fact}
              </span>
            ))}
          </div>
        </Stack>
        <TaskActions task={task} />
      </Group>
      <Marks task={task} />
    </Stack>
  );
}

function Gone({ taskId }: { taskId: number }) {
  return (
    <EmptyState
      title={`There is no task ${taskId}`}
      text="It has been deleted, or the number in the address is wrong."
      action={
        <Button component={Link} to="/tasks">
          All tasks
        </Button>
      }
    />
  );
}

function Loading() {
  return (
    <Box className="page page-wide" aria-busy="true" aria-label="Loading">
      <Skeleton h={28} w="min(420px, 70%)" />
      <Skeleton h={16} w="min(560px, 90%)" mt={10} />
      <Skeleton h={34} mt={18} mb={20} />
      <Skeleton h={104} />
      <Skeleton h={320} mt="md" />
    </Box>
  );
}
