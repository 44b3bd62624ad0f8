import { Alert, Button, Group, Skeleton, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { showTask } from "~/api/live";
import { ApiProblem } from "~/api/problems";
import { changeTask, readTask, type Task } from "~/api/tasks";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { changesOf, collides, type TaskTexts, textsOf } from "./rename";

const LONGEST_NAME = 200;

interface Version {
  texts: TaskTexts;
  etag: string | null;
}

/** Changes a task's name and description, unless somebody else did meanwhile. */
export default function RenameDialog({ id, onClose }: { id: number; onClose: () => void }) {
  const version = useQuery({
    queryKey: ["task-texts", id],
    queryFn: () => readVersion(id),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Dialog onClose={onClose} title={`Rename task ${id}`}>
      {version.isPending && <Skeleton h={170} />}
      {version.isError && (
        <ErrorNotice error={version.error} onRetry={() => void version.refetch()} />
      )}
      {version.data && <RenameForm id={id} read={version.data} onClose={onClose} />}
    </Dialog>
  );
}

function RenameForm({ id, read, onClose }: { id: number; read: Version; onClose: () => void }) {
  const queries = useQueryClient();
  const [base, setBase] = useState(read);
  const [typed, setTyped] = useState(read.texts);
  const [theirs, setTheirs] = useState<TaskTexts | null>(null);
  const saving = useMutation({
    mutationFn: () => save(id, base, typed),
    onSuccess: (result) => {
      if ("texts" in result) {
        setBase(result);
        setTheirs(result.texts);
      } else {
        showTask(queries, result);
        onClose();
      }
    },
  });
  const isChanged = Object.keys(changesOf(base.texts, typed)).length > 0;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged) saving.mutate();
        else onClose();
      }}
    >
      <Stack>
        <TextInput
          label="Name"
          value={typed.name}
          maxLength={LONGEST_NAME}
          required
          // It comes after the dialog, which has looked for where to put the focus.
          autoFocus
          onChange={({ currentTarget }) => setTyped({ ...typed, name: currentTarget.value })}
        />
        <Textarea
          label="Description"
          value={typed.description}
          autosize
          minRows={2}
          maxRows={8}
          onChange={({ currentTarget }) => setTyped({ ...typed, description: currentTarget.value })}
        />
        {theirs && <Collision theirs={theirs} onTake={() => setTyped(theirs)} />}
        {saving.isError && <ErrorNotice error={saving.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={saving.isPending} disabled={typed.name.trim() === ""}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Collision({ theirs, onTake }: { theirs: TaskTexts; onTake: () => void }) {
  return (
    <Alert color="yellow" role="alert" title="Somebody else changed it meanwhile">
      <Text size="sm" className="text-of-users">
        Its name is now “{theirs.name}”
        {theirs.description ? `, its description “${theirs.description}”` : ""}. Save again to
        replace it by yours.
      </Text>
      <Button size="compact-sm" variant="default" mt="xs" onClick={onTake}>
        Take theirs
      </Button>
    </Alert>
  );
}

async function readVersion(id: number): Promise<Version> {
  const { task, etag } = await readTask(id);
  return { texts: textsOf(task), etag };
}

/**
 * The task as it was saved; its new version where somebody else changed the same texts.
 *
 * A task that runs has a new version every minute: only its texts matter here.
 */
async function save(id: number, base: Version, typed: TaskTexts): Promise<Task | Version> {
  const changes = changesOf(base.texts, typed);
  try {
    return (await changeTask(id, changes, base.etag)).task;
  } catch (error) {
    if (!(error instanceof ApiProblem && error.isStale)) throw error;
  }
  const now = await readVersion(id);
  if (collides(base.texts, now.texts, typed)) return now;
  return (await changeTask(id, changes, now.etag)).task;
}
