import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { cloneLegacy, type LegacyTask } from "~/api/legacy";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";

interface CloneDialogProps {
  task: LegacyTask;
  onClose: () => void;
}

/** Asks for the name of a new task that says the same: version 1 has each name once. */
export function CloneDialog({ task, onClose }: CloneDialogProps) {
  const [name, setName] = useState(`${task.task_name} (copy)`);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const cloning = useMutation({
    mutationFn: () => cloneLegacy(task, name.trim()),
    onSuccess: (made) => {
      for (const subject of ["legacy", "migrations"]) {
        void queries.invalidateQueries({ queryKey: [subject] });
      }
      onClose();
      void navigate({ to: "/tasks/legacy/$v1TaskId", params: { v1TaskId: made.id } });
    },
  });
  return (
    <Dialog onClose={onClose} title={`Clone v1 task ${task.id}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          cloning.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          {cloning.isError && <ErrorNotice error={cloning.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={cloning.isPending} disabled={name.trim() === ""}>
              Clone
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
