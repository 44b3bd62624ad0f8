import { Button, Skeleton, Stack } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { previewQuery, type WaitingTask } from "~/api/migrations";
import type { Status } from "~/api/tasks";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { StaleBox } from "~/ui/stale-box";
import { EngineSelect } from "./engine-select";
import { TaskPreview } from "./task-preview";

interface PreviewDialogProps {
  task: WaitingTask;
  /** The database that has the task, where that is not the service's own. */
  file?: File;
  engine: string | null;
  onEngine: (engine: string | null) => void;
  onClose: () => void;
}

/** A task of version 1 and what it becomes, in a window. */
export function PreviewDialog({ task, file, engine, onEngine, onClose }: PreviewDialogProps) {
  const read = useQuery({
    ...previewQuery(task.v1_task_id, engine, file ?? null),
    placeholderData: keepPreviousData,
  });
  return (
    <Dialog onClose={onClose} title={`What ${task.name} becomes`} size="xl">
      <Stack gap="sm">
        {task.engine === null && <EngineSelect value={engine} onChange={onEngine} />}
        {read.isPending && <Skeleton height={120} />}
        {read.isError && <ErrorNotice error={read.error} onRetry={() => void read.refetch()} />}
        {read.data && (
          <StaleBox isStale={read.isPlaceholderData}>
            <TaskPreview task={read.data} />
          </StaleBox>
        )}
      </Stack>
    </Dialog>
  );
}

/** A task as a list of version 1's tasks has it. */
export function listed(task: WaitingTask) {
  return {
    ...task,
    id: task.v1_task_id,
    runtime: task.base_runtime,
    status: task.status.toLowerCase() as Status,
    createdAt: utc(task.created_at),
  };
}

/** Version 1 kept UTC without a zone. */
const utc = (time: string | null) =>
  time === null || /Z|[+-]\d\d:\d\d$/.test(time) ? time : `${time}Z`;

/** A list's column of buttons that open the preview. */
export function previewColumn<Row extends WaitingTask>(onOpen: (task: Row) => void) {
  return {
    title: "Preview",
    width: 100,
    cell: (task: Row) => (
      <Button
        size="compact-xs"
        variant="default"
        aria-label={`Preview ${task.name}`}
        onClick={() => onOpen(task)}
      >
        Preview
      </Button>
    ),
  };
}
