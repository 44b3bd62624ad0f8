import { notifications } from "@mantine/notifications";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { dropTasks } from "~/api/live";
import { ApiProblem } from "~/api/problems";
import { deleteTask } from "~/api/tasks";
import { counted } from "~/ui/format";
import { type Batch, DeferredDeletions, PATIENCE_MS } from "./deferred-deletions";
import { sayOutcome } from "./say-outcome";
import { UndoNotice } from "./undo-notice";
import type { ActionTarget } from "./verbs";

/** Deletions of this page, sent when their time is up or the page is left. */
export function useDeletions(): DeferredDeletions {
  const queries = useQueryClient();
  const [deletions] = useState(() => deletionsOf(queries));
  useEffect(() => {
    const leave = () => void deletions.flush();
    addEventListener("pagehide", leave);
    return () => removeEventListener("pagehide", leave);
  }, [deletions]);
  return deletions;
}

/** Hides tasks, and says that they will be deleted unless one wants them back. */
export function deleteLater(deletions: DeferredDeletions, tasks: readonly ActionTarget[]): void {
  const batch = deletions.schedule(tasks);
  const [first] = tasks;
  notifications.show({
    id: noticeOf(batch),
    title:
      tasks.length === 1 ? `Task ${first?.id} deleted` : `${counted(tasks.length, "task")} deleted`,
    message: (
      <UndoNotice
        text={tasks.length === 1 ? (first?.name ?? "") : ""}
        onUndo={() => undo(deletions, batch)}
      />
    ),
    autoClose: PATIENCE_MS,
    withCloseButton: false,
    color: "gray",
  });
}

/** Takes the newest deletion back that was not sent yet. */
export function undoNewest(deletions: DeferredDeletions): void {
  const batch = deletions.undoNewest();
  if (batch) notifications.hide(noticeOf(batch));
}

function undo(deletions: DeferredDeletions, batch: Batch): void {
  deletions.undo(batch);
  notifications.hide(noticeOf(batch));
}

function deletionsOf(queries: QueryClient): DeferredDeletions {
  return new DeferredDeletions({
    send: deleteUnlessGone,
    onDeleted: (ids) => {
      dropTasks(queries, ids);
      for (const id of ids) queries.removeQueries({ queryKey: ["task", id] });
    },
    onSent: (batch, outcome) => {
      notifications.hide(noticeOf(batch));
      if (outcome.refusals.length > 0) sayOutcome("delete", outcome);
    },
  });
}

async function deleteUnlessGone({ id }: { id: number }): Promise<void> {
  try {
    await deleteTask(id);
  } catch (error) {
    if (!(error instanceof ApiProblem && error.isGone)) throw error;
  }
}

const noticeOf = (batch: Batch) => `deletion-${batch.id}`;
