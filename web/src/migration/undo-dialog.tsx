import { Alert, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { type UndoneMigration, undoMigration, undoPreviewQuery } from "~/api/migrations";
import { ApiProblem } from "~/api/problems";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { leftInWords, rowsInWords, runningInWords } from "./undo";

interface UndoDialogProps {
  migration: number;
  source: string;
  onDone: () => void;
  onClose: () => void;
}

/** Says what would go, and asks before it does; what was worked on since is asked for by itself. */
export function UndoDialog({ migration, source, onDone, onClose }: UndoDialogProps) {
  const undoing = useMutation({
    mutationFn: (force: boolean) => undoMigration(migration, force),
    onSuccess: onDone,
    // A task was started meanwhile, or somebody was quicker.
    onError: () => void preview.refetch(),
  });
  const done = undoing.data;
  const isForced = done !== undefined && done.left.length > 0;
  /** Whether something may still be taken back. */
  const isOpen = done === undefined || isForced;
  const preview = useQuery({
    ...undoPreviewQuery(migration, isForced),
    enabled: !undoing.isPending && isOpen,
  });
  const isGone = saysGone(preview.error);
  useEffect(() => {
    // Whoever shows it as if it were here learns that it is not.
    if (isGone) onDone();
  }, [isGone, onDone]);
  const isReady = preview.data !== undefined && preview.data.running.length === 0;
  const take = (label: string) => (
    <Button
      color="red"
      loading={undoing.isPending}
      disabled={!isReady}
      onClick={() => undoing.mutate(isForced)}
    >
      {label}
    </Button>
  );
  return (
    <Dialog onClose={onClose} title={`Take back ${source}`}>
      <Stack gap="sm">
        {undoing.isError && !(isGone && saysGone(undoing.error)) && (
          <ErrorNotice error={undoing.error} />
        )}
        {done && (
          <Alert
            color={isForced ? "yellow" : "green"}
            title={`${counted(done.removed, "row")} taken back`}
          >
            {isForced ? leftInWords(done) : "Nothing from it is left here."}
          </Alert>
        )}
        {preview.isError && isOpen && (
          <ErrorNotice error={preview.error} onRetry={() => void preview.refetch()} />
        )}
        {preview.isLoading && <Skeleton height={60} aria-busy />}
        {preview.data && isOpen && <Foreseen preview={preview.data} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {done ? "Close" : "Keep them"}
          </Button>
          {!done && take("Take back")}
          {isForced && take("Remove these too")}
        </Group>
      </Stack>
    </Dialog>
  );
}

const saysGone = (error: unknown): boolean => error instanceof ApiProblem && error.isGone;

function Foreseen({ preview }: { preview: UndoneMigration }) {
  return (
    <>
      <Text size="sm">
        To be removed from here: {rowsInWords(preview.counts)}. The file they came from is not
        touched.
      </Text>
      {preview.left.length > 0 && <Text size="sm">{leftInWords(preview)}</Text>}
      {preview.running.length > 0 && (
        <Alert color="orange" role="status">
          {runningInWords(preview)}
        </Alert>
      )}
    </>
  );
}
