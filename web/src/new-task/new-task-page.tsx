import { Box, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { goalsQuery, modelsQuery } from "~/api/catalog";
import { ApiProblem } from "~/api/problems";
import { readTask } from "~/api/tasks";
import { kept } from "~/app/storage";
import { ErrorNotice } from "~/ui/error-notice";
import type { KeptDraft } from "./document/draft";
import classes from "./new-task.module.css";
import { type Opened, openedWith } from "./opened";
import { type WantedTask, wantedOf } from "./search-params";
import { TaskForm } from "./task-form";

/** A new task, a copy of one, or changes to one that has not started. */
export function NewTaskPage() {
  const search = useSearch({ from: "/tasks/new" });
  const { from, edit } = search;
  const id = edit ?? from ?? null;
  const wanted = wantedOf({ ...search });
  // What is wanted has a draft of its own: another one that was begun stays as it is.
  const key = edit ? `draft-edit-${edit}` : from ? `draft-from-${from}` : draftOf(wanted);
  const goals = useQuery(goalsQuery);
  const models = useQuery(modelsQuery);
  // Read once: what somebody else changes meanwhile is found when it is saved.
  const source = useQuery({
    queryKey: ["task-to-open", id, edit !== undefined],
    queryFn: () => (id === null ? null : readTask(id)),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });
  // A task that is gone leaves what was typed: it becomes a new one.
  const draft = kept<KeptDraft>(key);
  const isGone = source.error instanceof ApiProblem && source.error.isGone;
  const isLost = isGone && draft?.isEdited === true;
  // What was read once stays: the service may be away while one types.
  const failed = [goals, models, ...(isLost ? [] : [source])].find((query) => query.isLoadingError);
  if (failed) {
    return (
      <Box p="md">
        <ErrorNotice error={failed.error} onRetry={() => void failed.refetch()} />
      </Box>
    );
  }
  const read = isLost ? null : source.data;
  if (!goals.data || !models.data || read === undefined) return <Loading />;
  const opened: Opened = openedWith({
    source: read,
    lostId: isLost ? id : null,
    isEdit: edit !== undefined,
    kept: draft,
    goals: goals.data,
    models: models.data,
    wanted,
  });
  return <TaskForm key={key} storageKey={key} opened={opened} />;
}

function draftOf(wanted: WantedTask): string {
  const words = Object.entries(wanted).map(([name, value]) => `${name}=${value}`);
  return words.length === 0 ? "draft-new" : `draft-of-${words.sort().join("&")}`;
}

function Loading() {
  return (
    <Box className="page page-wide" aria-busy="true" aria-label="Loading">
      <Skeleton h={30} w={140} mb={12} />
      <div className={classes.quick}>
        <Skeleton h={694} />
        <div className={classes.column}>
          <Skeleton h={550} />
          <Skeleton h={130} />
        </div>
      </div>
    </Box>
  );
}
