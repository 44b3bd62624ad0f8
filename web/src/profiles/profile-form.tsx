import { Alert, Button, Group, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ApiProblem } from "~/api/problems";
import { checkedProfileQuery, notedPreviewsQuery } from "~/api/profiles";
import { ErrorNotice } from "~/ui/error-notice";
import { CircumstancesForm } from "./circumstances-form";
import { ConflictDialog } from "./conflict-dialog";
import {
  faultsByPath,
  faultsElsewhere,
  faultsOfForm,
  type LayerDraft,
  newLayer,
  type ProfileDraft,
  profileOf,
} from "./draft";
import { EffectCard } from "./effect-card";
import { LayerForm } from "./layer-form";
import classes from "./profiles.module.css";
import { type Circumstances, documentOf, type EditProfileSearch } from "./search-params";
import { useProfileDraft } from "./use-profile-draft";
import { useSaveProfile } from "./use-save-profile";

interface ProfileFormProps {
  search: EditProfileSearch;
  names: readonly string[];
  first: ProfileDraft;
  /** Version that is changed; null of a new profile. */
  etag: string | null;
  circumstances: Circumstances;
  storageKey: string;
}

const CHECK_AFTER_MS = 400;
const NAME_WORDS = "1 to 100 letters, digits, _ . or -, starting with a letter or digit";

/** The form of a profile, checked while one types, and beside it what it would set. */
export function ProfileForm(props: ProfileFormProps) {
  const { search, names, first, circumstances, storageKey } = props;
  const navigate = useNavigate();
  const replaces = search.profile ?? null;
  const newest = replaces === null ? null : props.etag;
  const kept = useProfileDraft(storageKey, first, newest);
  const { draft, etag, change, restart, restartWith, finish } = kept;
  const save = useSaveProfile(search, replaces, finish);
  const [isComparing, setComparing] = useState(false);
  const document = documentOf(circumstances);
  const [settled] = useDebouncedValue(draft, CHECK_AFTER_MS);
  const check = useQuery({
    ...checkedProfileQuery(profileOf(settled), replaces, document),
    placeholderData: keepPreviousData,
  });
  const previews = useQuery({ ...notedPreviewsQuery(document), placeholderData: keepPreviousData });
  const isChecked = settled === draft && check.isSuccess && !check.isPlaceholderData;

  const ofForm = faultsOfForm(draft);
  const faults = [...(check.data?.faults ?? []), ...ofForm];
  const byPath = faultsByPath(faults);
  const elsewhere = faultsElsewhere(faults, draft);
  // An empty form is no mistake yet.
  const nameFault = draft.name === "" ? undefined : byPath.get("name");
  const isStale = save.error instanceof ApiProblem && save.error.isStale;
  const mayStay = isChecked && faults.length === 0;
  const beside = search.beside ?? replaces ?? search.copy ?? draft.extends ?? undefined;

  const changeLayer = (layer: LayerDraft) =>
    change({ layers: draft.layers.map((each) => (each.id === layer.id ? layer : each)) });
  const moveLayer = (index: number, by: number) => {
    const layers = [...draft.layers];
    const [moved] = layers.splice(index, 1);
    if (moved) layers.splice(index + by, 0, moved);
    change({ layers });
  };
  const leave = () => {
    finish();
    const profile = replaces ?? search.copy;
    void navigate({ to: "/profiles", search: { ...circumstances, ...(profile && { profile }) } });
  };
  return (
    <div className={classes.editing}>
      <form
        className={classes.column}
        onSubmit={(event) => {
          event.preventDefault();
          if (!mayStay) return;
          setComparing(true);
          save.mutate({ profile: profileOf(draft), etag });
        }}
      >
        {kept.isFound && (
          <Alert
            color={kept.isBehind ? "yellow" : "gray"}
            variant="light"
            title="Your draft was restored"
          >
            <Group justify="space-between">
              <Text size="sm">
                You left this page without saving it.
                {kept.isBehind && ` ${replaces} has changed since.`}
              </Text>
              <Button size="xs" variant="default" onClick={restart}>
                Start over
              </Button>
            </Group>
          </Alert>
        )}
        <section className="card card-body" aria-label="The profile">
          <Stack gap="sm">
            <Group gap="sm" align="flex-start" grow>
              <TextInput
                label="Name"
                description={
                  replaces === null
                    ? NAME_WORDS
                    : "Tasks refer to it by this name, so it cannot be changed."
                }
                value={draft.name}
                onChange={(event) => change({ name: event.currentTarget.value })}
                readOnly={replaces !== null}
                maxLength={100}
                error={nameFault?.startsWith("has to match") ? `Give ${NAME_WORDS}` : nameFault}
                spellCheck={false}
                data-autofocus={replaces === null}
              />
              <Select
                label="Extends"
                description="Its layers are applied first."
                data={names.filter((name) => name !== replaces && name !== "base")}
                value={draft.extends}
                onChange={(extended) => change({ extends: extended })}
                error={byPath.get("extends")}
                clearable
                clearButtonProps={{ "aria-label": "Extend nothing" }}
                placeholder="none"
              />
            </Group>
            <Textarea
              label="Description"
              value={draft.description}
              onChange={(event) => change({ description: event.currentTarget.value })}
              maxLength={2_000}
              error={byPath.get("description")}
              autosize
              minRows={1}
            />
          </Stack>
        </section>
        {draft.layers.map((layer, index) => (
          <LayerForm
            key={layer.id}
            layer={layer}
            index={index}
            count={draft.layers.length}
            faults={byPath}
            onChange={changeLayer}
            onMove={(by) => moveLayer(index, by)}
            onRemove={() => change({ layers: draft.layers.filter((each) => each.id !== layer.id) })}
          />
        ))}
        <div>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() =>
              change({ layers: [...draft.layers, newLayer(`layer-${draft.layers.length + 1}`)] })
            }
          >
            Add a layer
          </Button>
        </div>
        <section className={`card card-body ${classes.saving}`} aria-label="Save">
          {check.isError && (
            <ErrorNotice error={check.error} onRetry={() => void check.refetch()} />
          )}
          {save.isError && !isStale && <ErrorNotice error={save.error} />}
          {isStale && (
            <Alert color="yellow" title="Not saved: someone else changed it">
              <Group justify="space-between" gap="sm">
                <Text size="sm">What you typed is still here.</Text>
                <Button size="xs" variant="default" onClick={() => setComparing(true)}>
                  Compare both versions
                </Button>
              </Group>
            </Alert>
          )}
          {isStale && isComparing && (
            <ConflictDialog
              mine={draft}
              onClose={() => setComparing(false)}
              onKeepMine={(newestTag) =>
                save.mutate({ profile: profileOf(draft), etag: newestTag })
              }
              onTakeTheirs={(theirs, newestTag) => {
                save.reset();
                restartWith(theirs, newestTag);
              }}
            />
          )}
          {elsewhere.map(({ path, message }) => (
            <Text key={`${path}:${message}`} size="sm" c="var(--bad)" className="text-of-users">
              {path && `${path}: `}
              {message}
            </Text>
          ))}
          <Group justify="space-between" gap="sm">
            <Text size="sm" className="quiet" role="status">
              {statusOf(isChecked || ofForm.length > 0, faults.length)}
            </Text>
            <Group gap="xs">
              <Button variant="default" onClick={leave}>
                Cancel
              </Button>
              <Button type="submit" loading={save.isPending} disabled={!mayStay}>
                {replaces === null ? "Create" : "Save"}
              </Button>
            </Group>
          </Group>
        </section>
      </form>
      <div className={`${classes.column} ${classes.side}`}>
        <CircumstancesForm
          value={circumstances}
          onChange={(given) =>
            void navigate({ to: "/profiles/edit", search: { ...search, ...given }, replace: true })
          }
        />
        {check.data?.preview ? (
          <EffectCard
            one={check.data.preview}
            title={replaces === null ? draft.name : "as edited"}
            other={previews.data?.items.find(({ name }) => name === beside) ?? null}
            others={names}
            onBeside={(name) =>
              void navigate({
                to: "/profiles/edit",
                search: { ...search, beside: name },
                replace: true,
              })
            }
            notes={check.data.notes}
            isBehind={!isChecked}
          />
        ) : (
          <section className="card card-body" aria-label="What it sets here">
            <Text size="sm" className="quiet">
              Give it a name and fix what is marked to see what it sets here.
            </Text>
          </section>
        )}
      </div>
    </div>
  );
}

function statusOf(isChecked: boolean, faults: number): string {
  if (!isChecked) return "Checking…";
  if (faults === 0) return "No problems found";
  return faults === 1 ? "1 problem to fix" : `${faults} problems to fix`;
}
