import { Button, Group, List, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { PATIENCE_MS } from "~/actions/deferred-deletions";
import { UndoNotice } from "~/actions/undo-notice";
import {
  createProfile,
  deleteProfile,
  type ProfileContent,
  type ProfileSummary,
  profileQuery,
  profileTasksQuery,
} from "~/api/profiles";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { profilesChanged } from "./profiles-changed";
import type { ProfilesSearch } from "./search-params";

interface DeleteDialogProps {
  summary: ProfileSummary;
  search: ProfilesSearch;
  onClose: () => void;
}

const BEFORE_LAUNCH = new Set(["pending", "queued", "paused", "running"]);

/** Asks before a profile is deleted, and says whom it would hurt; the notice after it undoes it. */
export function DeleteDialog({ summary, search, onClose }: DeleteDialogProps) {
  const { name } = summary;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const shown = useQuery({ ...profileQuery(name), enabled: summary.problem === null });
  const using = useQuery(profileTasksQuery(name));
  const left = (using.data?.items ?? []).filter(({ status }) => BEFORE_LAUNCH.has(status));
  const deleting = useMutation({
    mutationFn: () => deleteProfile(name, shown.data?.etag ?? null),
    onSuccess: async () => {
      onClose();
      await navigate({ to: "/profiles", search: { ...search, profile: undefined } });
      profilesChanged(queries, name);
      sayDeleted(queries, name, shown.data?.profile.document ?? null);
    },
  });
  return (
    <Dialog onClose={onClose} title={`Delete ${name}`}>
      <Stack gap="sm">
        {deleting.isError && <ErrorNotice error={deleting.error} />}
        <Text size="sm">
          Tasks that ran keep what they measured, and the values that it set for them.
        </Text>
        {left.length > 0 && (
          <div>
            <Text size="sm">
              {counted(left.length, "task")} that {left.length === 1 ? "names" : "name"} it{" "}
              {left.length === 1 ? "is" : "are"} not at {left.length === 1 ? "its" : "their"} end,
              and cannot begin or go on without it:
            </Text>
            <List size="xs">
              {left.slice(0, 10).map((task) => (
                <List.Item key={task.id} className="text-of-users">
                  {task.name} ({task.status})
                </List.Item>
              ))}
            </List>
          </div>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <Button
            color="red"
            loading={deleting.isPending}
            disabled={shown.isLoading}
            onClick={() => deleting.mutate()}
          >
            Delete
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function sayDeleted(queries: QueryClient, name: string, content: ProfileContent | null): void {
  const id = `profile-deleted-${name}`;
  const undo = async () => {
    notifications.hide(id);
    if (content === null) return;
    try {
      await createProfile({ ...content, name });
      notifications.show({ title: "It is back", message: name, color: "green" });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      notifications.show({ title: `${name} did not come back`, message, color: "red" });
    }
    profilesChanged(queries, name);
  };
  notifications.show({
    id,
    title: "Profile deleted",
    message: content === null ? name : <UndoNotice text={name} onUndo={() => void undo()} />,
    autoClose: PATIENCE_MS,
    withCloseButton: false,
    color: "gray",
  });
}
