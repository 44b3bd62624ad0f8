import { Anchor, Badge, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconCopy, IconPencil, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { type ProfileSummary, profileQuery } from "~/api/profiles";
import { useShortcuts } from "~/app/shortcuts";
import { ErrorNotice } from "~/ui/error-notice";
import { moment } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { DeleteDialog } from "./delete-dialog";
import { Layers } from "./layers";
import { ORIGINS } from "./origins";
import classes from "./profiles.module.css";
import type { ProfilesSearch } from "./search-params";
import { UsingTasks } from "./using-tasks";

interface ProfileCardProps {
  summary: ProfileSummary;
  search: ProfilesSearch;
}

/** A profile: what it is for, its layers, the tasks that name it, and what can be done to it. */
export function ProfileCard({ summary, search }: ProfileCardProps) {
  const navigate = useNavigate();
  const { mayWrite } = useTaskActions();
  const isOwn = summary.origin === "service";
  // Of a broken one of somebody's own its layers are there too, to be mended.
  const isReadable = isOwn || summary.problem === null;
  const query = useQuery({ ...profileQuery(summary.name), enabled: isReadable });
  const [isDeleting, setDeleting] = useState(false);
  const { name } = summary;
  const edit = () => void navigate({ to: "/profiles/edit", search: { ...search, profile: name } });
  const copy = () =>
    void navigate({ to: "/profiles/edit", search: { ...search, profile: undefined, copy: name } });
  const mayCopy = mayWrite && summary.problem === null;
  useShortcuts([
    ...(mayCopy ? [{ key: "c", does: "Copy the profile", run: copy }] : []),
    ...(mayWrite && isOwn ? [{ key: "e", does: "Edit the profile", run: edit }] : []),
  ]);
  return (
    <section className="card card-body" aria-labelledby="profile-shown">
      <Stack gap="sm">
        <Group justify="space-between" gap="sm" align="flex-start">
          <div className={classes.heading}>
            <Group gap="xs">
              <Title order={2} fz="lg" id="profile-shown" className="text-of-users">
                {name}
              </Title>
              <Badge size="sm" variant="light">
                {ORIGINS.find(({ origin }) => origin === summary.origin)?.badge}
              </Badge>
            </Group>
            <Text size="sm" className="quiet text-of-users">
              {summary.description || "It has no description."}
            </Text>
            <Text size="xs" className="quiet">
              {summary.extends && (
                <>
                  Extends{" "}
                  <Anchor
                    size="xs"
                    underline="always"
                    className="text-of-users"
                    renderRoot={(props) => (
                      <Link
                        to="/profiles"
                        search={{ ...search, profile: summary.extends ?? undefined }}
                        {...props}
                      />
                    )}
                  >
                    {summary.extends}
                  </Anchor>
                  {summary.updated_at && " · "}
                </>
              )}
              {summary.updated_at && `changed ${moment(summary.updated_at)}`}
            </Text>
          </div>
          {mayWrite && (
            <Group gap="xs">
              {mayCopy && (
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconCopy size={14} aria-hidden />}
                  onClick={copy}
                >
                  Copy
                </Button>
              )}
              {isOwn && (
                <>
                  <Button
                    size="xs"
                    variant="default"
                    leftSection={<IconPencil size={14} aria-hidden />}
                    onClick={edit}
                  >
                    Edit
                  </Button>
                  <Button
                    size="xs"
                    variant="default"
                    leftSection={<IconTrash size={14} aria-hidden />}
                    onClick={() => setDeleting(true)}
                  >
                    Delete
                  </Button>
                </>
              )}
            </Group>
          )}
        </Group>
        {summary.problem !== null && <ErrorNotice error={new Error(asSentence(summary.problem))} />}
        {query.isLoading && <Skeleton height={120} />}
        {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        {query.data && <Layers profile={query.data.profile} />}
        <UsingTasks name={name} />
      </Stack>
      {isDeleting && (
        <DeleteDialog summary={summary} search={search} onClose={() => setDeleting(false)} />
      )}
    </section>
  );
}
