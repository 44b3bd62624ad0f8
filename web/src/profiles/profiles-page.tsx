import { Button, Group, Skeleton, Text, Title } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTaskActions } from "~/actions/actions-provider";
import { notedPreviewsQuery, profilesQuery } from "~/api/profiles";
import { useShortcuts } from "~/app/shortcuts";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { CircumstancesForm } from "./circumstances-form";
import { useDoomedProfiles } from "./doomed-profiles";
import { EffectCard } from "./effect-card";
import { listedNames } from "./origins";
import { ProfileCard } from "./profile-card";
import { ProfileList } from "./profile-list";
import classes from "./profiles.module.css";
import { type Circumstances, documentOf, type ProfilesSearch } from "./search-params";
import { useCircumstances } from "./use-circumstances";

const route = getRouteApi("/profiles");

/** Every profile; one of them with its layers, its tasks, and its effect beside another. */
export function ProfilesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { mayWrite } = useTaskActions();
  const profiles = useQuery(profilesQuery);
  const doomed = useDoomedProfiles();
  const listed = profiles.data?.filter(({ name }) => !doomed.has(name));
  const circumstances = useCircumstances(search);
  const names = listedNames(listed ?? []);
  const shown = search.profile ?? names[0] ?? "";
  const summary = listed?.find(({ name }) => name === shown);
  const change = (given: Partial<ProfilesSearch>, replace: boolean) =>
    void navigate({ search: { ...search, ...given }, replace });
  const step = (by: number) => {
    const at = names.indexOf(shown) + by;
    const name = names[Math.max(0, Math.min(at, names.length - 1))];
    if (name) change({ profile: name }, true);
  };
  useShortcuts([
    { key: "j", does: "Next profile", run: () => step(1) },
    { key: "k", does: "Previous profile", run: () => step(-1) },
  ]);
  return (
    <div className="page page-wide">
      <Group justify="space-between" gap="sm" mb="sm">
        <div>
          <Title order={1} fz="xl">
            Profiles
          </Title>
          <Text size="sm" className="quiet">
            Named sets of values that a task starts from; what the task says itself wins.
          </Text>
        </div>
        {mayWrite && (
          <Button
            size="xs"
            leftSection={<IconPlus size={14} aria-hidden />}
            renderRoot={(props) => (
              <Link to="/profiles/edit" search={{ ...search, profile: undefined }} {...props} />
            )}
          >
            New profile
          </Button>
        )}
      </Group>
      {profiles.isError && (
        <ErrorNotice error={profiles.error} onRetry={() => void profiles.refetch()} />
      )}
      {profiles.isPending && <Skeleton height={320} />}
      {listed && (
        <div className={classes.columns}>
          <ProfileList profiles={listed} shown={shown} search={search} />
          <div className={classes.column}>
            {summary ? (
              <ProfileCard key={summary.name} summary={summary} search={search} />
            ) : (
              <EmptyState
                title={`There is no profile ${shown}`}
                text="It may have been deleted or renamed."
              />
            )}
            {circumstances === null ? (
              <Skeleton height={160} />
            ) : (
              <>
                <CircumstancesForm
                  value={circumstances}
                  onChange={(given) => change(given, true)}
                />
                <Effect
                  name={shown}
                  beside={search.beside}
                  names={names}
                  circumstances={circumstances}
                  onBeside={(beside) => change({ beside }, true)}
                />
              </>
            )}
          </div>
        </div>
      )}
    </div>
  );
}

interface EffectProps {
  name: string;
  beside: string | undefined;
  names: readonly string[];
  circumstances: Circumstances;
  onBeside: (name: string | undefined) => void;
}

function Effect({ name, beside, names, circumstances, onBeside }: EffectProps) {
  const query = useQuery({
    ...notedPreviewsQuery(documentOf(circumstances)),
    placeholderData: keepPreviousData,
  });
  const one = query.data?.items.find((each) => each.name === name);
  if (query.isError) {
    return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (query.isPending) return <Skeleton height={160} />;
  if (!one) return null;
  return (
    <EffectCard
      one={one}
      title={name}
      other={query.data.items.find((each) => each.name === beside && beside !== name) ?? null}
      others={names.filter((each) => each !== name)}
      onBeside={onBeside}
      notes={query.data.notes}
      isBehind={query.isPlaceholderData}
    />
  );
}
