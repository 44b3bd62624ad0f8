import { Alert, Button, Group, List, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { readTask } from "~/api/tasks";
import { ErrorNotice } from "~/ui/error-notice";
import { setting } from "~/ui/format";
import { leaves } from "./document/rebase";
import { write } from "./document/task-text";
import { type JsonObject, same, valueAt } from "./document/values";
import type { DraftTools } from "./use-draft";

interface StaleNoticeProps {
  taskId: number;
  tools: DraftTools;
  onSaveOver: (etag: string | null) => void;
  onTaken: (etag: string | null) => void;
}

const MOST_LISTED = 8;

/** Says that somebody else changed the task meanwhile, and what: neither version is lost. */
export function StaleNotice({ taskId, tools, onSaveOver, onTaken }: StaleNoticeProps) {
  const current = useQuery({
    queryKey: ["task-version", taskId],
    queryFn: () => readTask(taskId),
    staleTime: 0,
    gcTime: 0,
  });
  const { draft } = tools;
  if (current.isError) {
    return <ErrorNotice error={current.error} onRetry={() => void current.refetch()} />;
  }
  if (current.data === undefined) return <Skeleton h={120} />;
  const { task, etag } = current.data;
  const theirs = task.config as unknown as JsonObject;
  // While it cannot be read there is nothing to compare, and nothing to save.
  const mine = draft.task.content ?? theirs;
  const differing = leaves(theirs, mine).filter(
    (path) => !same(valueAt(theirs, path), valueAt(mine, path)),
  );
  const take = () => {
    tools.act({ kind: "edit", text: write(theirs) });
    onTaken(etag);
  };
  return (
    <Alert color="yellow" role="alert" title="Somebody changed this task since you opened it">
      Nothing of yours was saved, and nothing of it is lost. Where the two differ:
      <List size="sm" my="xs">
        {differing.slice(0, MOST_LISTED).map((path) => (
          <List.Item key={path.join(".")} className="text-of-users">
            <strong>{path.join(".")}</strong>: theirs {setting(valueAt(theirs, path))}, yours{" "}
            {setting(valueAt(mine, path))}
          </List.Item>
        ))}
        {differing.length > MOST_LISTED && (
          <List.Item>and {differing.length - MOST_LISTED} more</List.Item>
        )}
        {differing.length === 0 && <List.Item>nowhere: both are the same</List.Item>}
      </List>
      <Group gap="xs">
        <Button size="xs" onClick={() => onSaveOver(etag)} disabled={draft.task.content === null}>
          Save yours over theirs
        </Button>
        <Button size="xs" variant="default" onClick={take}>
          Take theirs (undo brings yours back)
        </Button>
      </Group>
    </Alert>
  );
}
