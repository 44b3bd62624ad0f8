import { Skeleton, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { profileQuery, profilesQuery } from "~/api/profiles";
import { ErrorNotice } from "~/ui/error-notice";
import { copyOf, draftOf, emptyDraft } from "./draft";
import { ProfileForm } from "./profile-form";
import { useCircumstances } from "./use-circumstances";

const route = getRouteApi("/profiles/edit");

/** A new profile, a copy of another, or a change of one's own. */
export function EditProfilePage() {
  const search = route.useSearch();
  const source = search.profile ?? search.copy;
  const profiles = useQuery(profilesQuery);
  const shown = useQuery({ ...profileQuery(source ?? ""), enabled: source !== undefined });
  const circumstances = useCircumstances(search);
  const problem = profiles.error ?? shown.error;
  const isReady = profiles.data && (source === undefined || shown.data) && circumstances;
  return (
    <div className="page page-wide">
      <Title order={1} fz="xl" mb="sm" className="text-of-users">
        {search.profile ? `Edit ${search.profile}` : "New profile"}
      </Title>
      {problem !== null && (
        <ErrorNotice
          error={problem}
          onRetry={() => {
            void profiles.refetch();
            if (source !== undefined) void shown.refetch();
          }}
        />
      )}
      {problem === null && !isReady && <Skeleton height={400} />}
      {isReady && (
        <Opened
          key={`${search.profile ?? ""}/${search.copy ?? ""}`}
          search={search}
          names={profiles.data.map(({ name }) => name)}
          profile={shown.data?.profile ?? null}
          etag={shown.data?.etag ?? null}
          circumstances={circumstances}
        />
      )}
    </div>
  );
}

type FormProps = Parameters<typeof ProfileForm>[0];
type OpenedProps = Omit<FormProps, "first" | "storageKey"> & {
  profile: Parameters<typeof draftOf>[0] | null;
};

/** Holds on to what was read when the form was opened: it is what the changes are made to. */
function Opened({ profile, etag, ...given }: OpenedProps) {
  const { search, names } = given;
  const [opened] = useState(() => ({
    etag,
    first:
      profile === null ? emptyDraft() : search.profile ? draftOf(profile) : copyOf(profile, names),
  }));
  const storageKey = `profile-draft:${search.profile ?? ""}:${search.copy ?? ""}`;
  return <ProfileForm {...given} {...opened} storageKey={storageKey} />;
}
