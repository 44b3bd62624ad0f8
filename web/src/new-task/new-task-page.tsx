import { Box } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { goalsQuery, modelsQuery } from "~/api/catalog";
import { readTask } from "~/api/tasks";
import { PageLoading } from "~/app/page-loading";
import { kept } from "~/app/storage";
import { ErrorNotice } from "~/ui/error-notice";
import type { KeptDraft } from "./document/draft";
import { type Opened, openedWith } from "./opened";
import { TaskForm } from "./task-form";

/** A new task, a copy of one, or changes to one that has not started. */
export function NewTaskPage() {
  const { from, edit } = useSearch({ from: "/tasks/new" });
  const id = edit ?? from ?? null;
  const key = edit ? `draft-edit-${edit}` : from ? `draft-from-${from}` : "draft-new";
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
  const failed = [goals, models, source].find((query) => query.isError);
  if (failed) {
    return (
      <Box p="md">
        <ErrorNotice error={failed.error} onRetry={() => void failed.refetch()} />
      </Box>
    );
  }
  if (!goals.data || !models.data || source.data === undefined) return <PageLoading />;
  const opened: Opened = openedWith({
    source: source.data,
    isEdit: edit !== undefined,
    kept: kept<KeptDraft>(key),
    goals: goals.data,
    models: models.data,
  });
  return <TaskForm key={key} storageKey={key} opened={opened} />;
}
