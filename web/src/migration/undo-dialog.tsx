import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { undoMigration } from "~/api/migrations";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { count, counted } from "~/ui/format";

interface UndoDialogProps {
  migration: number;
  source: string;
  onDone: () => void;
  onClose: () => void;
}

/** Asks before what was moved is removed; what was worked on since is asked for by itself. */
export function UndoDialog({ migration, source, onDone, onClose }: UndoDialogProps) {
  const undoing = useMutation({
    mutationFn: (force: boolean) => undoMigration(migration, force),
    onSuccess: onDone,
  });
  const done = undoing.data;
  return (
    <Dialog onClose={onClose} title={`Take back ${source}`}>
      <Stack gap="sm">
        {undoing.isError && <ErrorNotice error={undoing.error} />}
        {done ? (
          <Alert
            color={done.left.length > 0 ? "yellow" : "green"}
            title={`${counted(done.removed, "row")} taken back`}
          >
            {done.left.length === 0
              ? "Nothing of it is here any more."
              : `${counted(done.left.length, "task")} stay: they were worked on here since. v1 tasks ${done.left.slice(0, 10).map(count).join(", ")}.`}
          </Alert>
        ) : (
          <Text size="sm">
            Tasks, experiments and presets that this migration brought are removed from here. The
            file they came from is not touched, and tasks that were worked on here since stay.
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {done ? "Close" : "Keep them"}
          </Button>
          {!done && (
            <Button color="red" loading={undoing.isPending} onClick={() => undoing.mutate(false)}>
              Take back
            </Button>
          )}
          {done && done.left.length > 0 && (
            <Button color="red" loading={undoing.isPending} onClick={() => undoing.mutate(true)}>
              Remove these too
            </Button>
          )}
        </Group>
      </Stack>
    </Dialog>
  );
}
