import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { ApiProblem } from "~/api/problems";
import { disturbanceQuery } from "~/api/results";
import { act, cloneTask, type Task } from "~/api/tasks";
import { ErrorNotice } from "~/ui/error-notice";
import { asSentence } from "~/ui/sentence";
import { isMostlyDisturbed, learnsWhenBusy } from "./disturbance";
import { useTask } from "./task-context";

interface DisturbanceNoticeProps {
  mt?: "md";
  /** Whether another card of the page says that the results cannot be read. */
  isFailureShown?: boolean;
}

/** Says that figures of this task are not to be trusted, and measures it again; nothing where all
 * levels were measured in peace. */
export function DisturbanceNotice({ mt, isFailureShown = false }: DisturbanceNoticeProps) {
  const task = useTask();
  const query = useQuery(disturbanceQuery(task.id));
  const found = query.data;
  if (query.isError && found === undefined && !isFailureShown) {
    return <NotKnown error={query.error} onRetry={() => void query.refetch()} mt={mt} />;
  }
  if (!found) return null;
  const isMost = isMostlyDisturbed(found);
  const share =
    found.disturbed === found.levels ? "These" : isMost ? "Most of these" : "Some of these";
  return (
    <Alert
      color={isMost ? "orange" : "yellow"}
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={`${share} measurements were disturbed`}
      mt={mt}
    >
      <Text size="sm">{asSentence(found.text)}</Text>
      <Text size="sm">
        They can be far from what the engine does by itself, and calibration{" "}
        {learnsWhenBusy(task.config)
          ? "learns from them, as benchmark.learn_when_busy asks"
          : "ignores them"}
        . {asSentence(found.remedy)}
      </Text>
      {!ONGOING.has(task.status) && <MeasureAgain key={task.id} task={task} />}
    </Alert>
  );
}

interface NotKnownProps {
  error: unknown;
  onRetry: () => void;
  mt?: "md";
}

/** Says that a warning may be missing: figures without one look sound. */
function NotKnown({ error, onRetry, mt }: NotKnownProps) {
  return (
    <Alert
      color="yellow"
      variant="light"
      role="status"
      icon={<IconAlertTriangle aria-hidden />}
      title="Whether these measurements were disturbed is not known"
      mt={mt}
    >
      <Text size="sm">
        {asSentence(error instanceof ApiProblem ? error.detail : String(error))}
      </Text>
      <Button size="xs" variant="default" mt="sm" onClick={onRetry}>
        Try again
      </Button>
    </Alert>
  );
}

const ONGOING: ReadonlySet<Task["status"]> = new Set(["pending", "queued", "running", "paused"]);

/** Starts the same task as a new one, so that nothing that was measured is lost. */
function MeasureAgain({ task }: { task: Task }) {
  const { mayWrite } = useTaskActions();
  const navigate = useNavigate();
  // What was made is started when it is tried again, not made once more.
  const made = useRef<number | null>(null);
  const again = useMutation({
    mutationFn: async () => {
      made.current ??= (await cloneTask(task.id, task.name)).id;
      return act(made.current, "start");
    },
    onSuccess: ({ id }) => navigate({ to: "/tasks/$taskId", params: { taskId: id } }),
    onError: (error) => {
      // Deleted meanwhile: another has to be made.
      if (error instanceof ApiProblem && error.isGone) made.current = null;
    },
  });
  if (!mayWrite) return null;
  return (
    <>
      <Group mt="sm" gap="sm">
        <Button
          size="xs"
          leftSection={<IconRefresh size={14} aria-hidden />}
          loading={again.isPending}
          onClick={() => again.mutate()}
        >
          Measure again
        </Button>
        <Text size="xs" className="quiet">
          As a new task; this one keeps its results.
        </Text>
      </Group>
      {again.isError && <ErrorNotice error={again.error} />}
    </>
  );
}
