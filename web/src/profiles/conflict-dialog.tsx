import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { stringify } from "yaml";
import { profileQuery } from "~/api/profiles";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./conflict.module.css";
import { draftOf, type ProfileDraft, profileOf } from "./draft";
import { type LinePair, linePairs } from "./line-diff";

interface ConflictDialogProps {
  mine: ProfileDraft;
  /** Saves the draft over the version with this tag. */
  onKeepMine: (etag: string | null) => void;
  /** Goes on with what the service has, in place of the draft. */
  onTakeTheirs: (theirs: ProfileDraft, etag: string | null) => void;
  onClose: () => void;
}

/** Both versions of a profile that somebody else changed meanwhile, and a choice between them. */
export function ConflictDialog({ mine, onKeepMine, onTakeTheirs, onClose }: ConflictDialogProps) {
  // What was read before is what the refusal made old.
  const newest = useQuery({ ...profileQuery(mine.name), refetchOnMount: "always" });
  const found = newest.isFetchedAfterMount && newest.isSuccess ? newest.data : null;
  const theirs = useMemo(() => found && draftOf(found.profile), [found]);
  const rows = useMemo(
    () => (theirs ? linePairs(textOf(mine), textOf(theirs)) : []),
    [mine, theirs],
  );
  const isAlike = theirs !== null && rows.every((row) => row.mine === row.theirs);
  return (
    <Dialog onClose={onClose} size="xl" title={`Someone else changed ${mine.name}`}>
      <Stack gap="sm">
        <Text size="sm">
          {isAlike
            ? "Both versions say the same."
            : "It was saved after you opened it. Lines that differ are marked. Nothing is saved until you choose."}
        </Text>
        {newest.isError && newest.isFetchedAfterMount && (
          <ErrorNotice error={newest.error} onRetry={() => void newest.refetch()} />
        )}
        {found === null && !newest.isError && <Skeleton height={200} aria-busy />}
        {theirs !== null && <BothVersions rows={rows} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            Decide later
          </Button>
          <Button
            variant="default"
            disabled={theirs === null}
            onClick={() => theirs && onTakeTheirs(theirs, found?.etag ?? null)}
          >
            Take theirs, discard mine
          </Button>
          <Button
            color="red"
            disabled={theirs === null}
            onClick={() => onKeepMine(found?.etag ?? null)}
          >
            Keep mine, replace theirs
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** A profile as the same text for both, whatever order its rows were given in. */
function textOf(draft: ProfileDraft): string {
  const { name: _, ...content } = profileOf(draft);
  return stringify(content, { lineWidth: 0 });
}

function BothVersions({ rows }: { rows: readonly LinePair[] }) {
  return (
    <ScrollingBox label="Both versions" className={classes.versions}>
      <table>
        <thead>
          <tr>
            <th scope="col">Mine</th>
            <th scope="col">Theirs</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ mine, theirs }, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line has no name but its place.
            <tr key={line} data-differs={mine !== theirs || undefined}>
              <td>{mine}</td>
              <td>{theirs}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollingBox>
  );
}
