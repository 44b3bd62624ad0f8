import { ActionIcon, Anchor, Button, Group, Stack, Text, TextInput, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { type Backup, backupAddress, backupsQuery, createBackup, deleteBackup } from "~/api/system";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { gibibytes, moment } from "~/ui/format";
import { useKeptFocus } from "~/ui/use-kept-focus";
import classes from "./system.module.css";

const GIB = 2 ** 30;

/** Backups of the database: making, saving and deleting them. */
export function Backups() {
  const queries = useQueryClient();
  const query = useQuery(backupsQuery);
  const [doomed, setDoomed] = useState<Backup | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useKeptFocus(list, button);
  const making = useMutation({
    mutationFn: createBackup,
    onSuccess: () => queries.invalidateQueries({ queryKey: backupsQuery.queryKey }),
  });
  return (
    <Stack gap="xs" mt="sm" align="flex-start">
      <Button
        ref={button}
        size="xs"
        variant="default"
        loading={making.isPending}
        onClick={() => making.mutate()}
      >
        Back up now
      </Button>
      {making.isError && <ErrorNotice error={making.error} />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.data?.length === 0 && (
        <Text size="xs" className="quiet">
          There are no backups yet. A backup is a copy of the database in the home's backups folder;
          tasks keep running while it is made.
        </Text>
      )}
      {query.data !== undefined && query.data.length > 0 && (
        <ul ref={list} className={classes.backups} aria-label="Backups">
          {query.data.map((backup) => (
            <li key={backup.name}>
              <span>
                <Anchor
                  size="xs"
                  href={backupAddress(backup.name)}
                  download={backup.name}
                  underline="always"
                >
                  {backup.name}
                </Anchor>{" "}
                <span className="quiet">
                  {gibibytes(backup.size_bytes / GIB)}, {moment(backup.created_at)}
                </span>
              </span>
              <Tooltip label="Delete this backup">
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  c="var(--bad)"
                  aria-label={`Delete ${backup.name}`}
                  onClick={() => setDoomed(backup)}
                >
                  <IconTrash size={14} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </li>
          ))}
        </ul>
      )}
      {doomed && <DeleteBackupDialog backup={doomed} onClose={() => setDoomed(null)} />}
    </Stack>
  );
}

interface DeleteBackupDialogProps {
  backup: Backup;
  onClose: () => void;
}

/** Deletes a backup only once its name is typed: nothing brings it back. */
export function DeleteBackupDialog({ backup, onClose }: DeleteBackupDialogProps) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const deleting = useMutation({
    mutationFn: () => deleteBackup(backup.name),
    onSuccess: onClose,
    // Where somebody else deleted it, the list shows so.
    onSettled: () => queries.invalidateQueries({ queryKey: backupsQuery.queryKey }),
  });
  const isNamed = typed.trim() === backup.name;
  return (
    <Dialog onClose={onClose} title="Delete a backup">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isNamed) deleting.mutate();
        }}
      >
        <Stack gap="sm">
          {deleting.isError && <ErrorNotice error={deleting.error} />}
          <Text size="sm">
            This deletes the backup of {moment(backup.created_at)} (
            {gibibytes(backup.size_bytes / GIB)}) from the service's machine for good. If you may
            still need it, download it first. To confirm, type its name:
          </Text>
          <Text size="sm" ff="monospace" className="text-of-users">
            {backup.name}
          </Text>
          <TextInput
            label="Name of the backup"
            value={typed}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Keep it
            </Button>
            <Button color="red" type="submit" disabled={!isNamed} loading={deleting.isPending}>
              Delete it
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
