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
  profilesQuery,
  profileTasksQuery,
} from "~/api/profiles";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { deleteLater } from "./doomed-profiles";
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
  const shown = useQuery(profileQuery(name));
  const using = useQuery(profileTasksQuery(name));
  const left = (using.data?.items ?? []).filter(({ status }) => BEFORE_LAUNCH.has(status));
  // What is about to be lost, and to whom: until both are known nothing is deleted.
  const isKnown = shown.isSuccess && using.isSuccess;
  const leave = async () => {
    onClose();
    await navigate({ to: "/profiles", search: { ...search, profile: undefined } });
  };
  const deleting = useMutation({
    mutationFn: () => deleteProfile(name, shown.data?.etag ?? null),
    onSuccess: async () => {
      await leave();
      profilesChanged(queries, name);
      const content = shown.data?.profile.document ?? null;
      sayDeleted(name, content && (() => createAgain(queries, name, content)));
    },
  });
  const remove = () => {
    if (summary.problem === null) deleting.mutate();
    else {
      const takeBack = deleteLater(name, () =>
        deleteBroken(queries, name, shown.data?.etag ?? null),
      );
      sayDeleted(name, takeBack);
      void leave();
    }
  };
  return (
    <Dialog onClose={onClose} title={`Delete ${name}`}>
      <Stack gap="sm">
        {deleting.isError && <ErrorNotice error={deleting.error} />}
        {shown.isError && <ErrorNotice error={shown.error} onRetry={() => void shown.refetch()} />}
        {using.isError && <ErrorNotice error={using.error} onRetry={() => void using.refetch()} />}
        <Text size="sm">
          Tasks that have run keep their measurements and the values that it set for them.
        </Text>
        {left.length > 0 && (
          <div>
            <Text size="sm">
              {counted(left.length, "task")} that {left.length === 1 ? "names" : "name"} it{" "}
              {left.length === 1 ? "has" : "have"} not finished, and cannot start or continue
              without it:
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
          <Button color="red" loading={deleting.isPending} disabled={!isKnown} onClick={remove}>
            Delete
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

async function createAgain(
  queries: QueryClient,
  name: string,
  content: ProfileContent,
): Promise<void> {
  try {
    await createProfile({ ...content, name });
    notifications.show({ title: "Profile restored", message: name, color: "green" });
  } catch (error) {
    sayFailed(`${name} could not be restored`, error);
  }
  profilesChanged(queries, name);
}

async function deleteBroken(
  queries: QueryClient,
  name: string,
  etag: string | null,
): Promise<void> {
  notifications.hide(noticeOf(name));
  try {
    await deleteProfile(name, etag);
  } catch (error) {
    sayFailed(`${name} could not be deleted`, error);
  }
  profilesChanged(queries, name);
  // It is hidden until the list is without it.
  await queries.refetchQueries({ queryKey: profilesQuery.queryKey });
}

function sayFailed(title: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  notifications.show({ title, message, color: "red" });
}

function sayDeleted(name: string, takeBack: (() => unknown) | null): void {
  const id = noticeOf(name);
  const undo = () => {
    notifications.hide(id);
    void takeBack?.();
  };
  notifications.show({
    id,
    title: "Profile deleted",
    message: takeBack === null ? name : <UndoNotice text={name} onUndo={undo} />,
    autoClose: PATIENCE_MS,
    withCloseButton: false,
    color: "gray",
  });
}

const noticeOf = (name: string) => `profile-deleted-${name}`;
