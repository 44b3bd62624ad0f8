import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTaskActions } from "~/actions/actions-provider";
import { disturbanceQuery } from "~/api/results";
import { act, cloneTask, type Task } from "~/api/tasks";
import { ErrorNotice } from "~/ui/error-notice";
import { asSentence } from "~/ui/sentence";
import { isMostlyDisturbed } from "./disturbance";
import { useTask } from "./task-context";

/** Says that figures of this task are not to be trusted, and measures it again; nothing where all
 * levels were measured in peace. */
export function DisturbanceNotice({ mt }: { mt?: "md" }) {
  const task = useTask();
  const found = useQuery(disturbanceQuery(task.id)).data;
  if (!found) return null;
  const isMost = isMostlyDisturbed(found);
  const share =
    found.disturbed === found.levels ? "These" : isMost ? "Most of these" : "Some of these";
  return (
    <Alert
      color={isMost ? "orange" : "yellow"}
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={`${share} figures were disturbed`}
      mt={mt}
    >
      <Text size="sm">{asSentence(found.text)}</Text>
      <Text size="sm">
        They can be far from what the engine does on its own, and calibration does not learn from
        them: {found.remedy}.
      </Text>
      {!ONGOING.has(task.status) && <MeasureAgain task={task} />}
    </Alert>
  );
}

const ONGOING: ReadonlySet<Task["status"]> = new Set(["pending", "queued", "running", "paused"]);

/** Starts the same task as a new one, so that nothing that was measured is lost. */
function MeasureAgain({ task }: { task: Task }) {
  const { mayWrite } = useTaskActions();
  const navigate = useNavigate();
  const again = useMutation({
    mutationFn: async () => act((await cloneTask(task.id, task.name)).id, "start"),
    onSuccess: ({ id }) => navigate({ to: "/tasks/$taskId", params: { taskId: id } }),
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
