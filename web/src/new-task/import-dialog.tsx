import { Alert, Button, FileButton, Group, List, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { goalsQuery } from "~/api/catalog";
import { type Conversion, convertTask } from "~/api/plans";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { read, write } from "./document/task-text";
import type { JsonObject } from "./document/values";
import { decisionsOf } from "./quick/decisions";
import type { DraftTools } from "./use-draft";

interface ImportDialogProps {
  tools: DraftTools;
  onClose: () => void;
}

/** Beyond this the service reads no text. */
const MOST_CHARACTERS = 1_000_000;
const FORMATS: Record<Conversion["format"], string> = {
  v1: "a task of version 1",
  v2: "a task of version 2",
  command: "an engine's command line",
};

/** A file or a command line as the draft: what cannot be carried over is listed first. */
export default function ImportDialog({ tools, onClose }: ImportDialogProps) {
  const [text, setText] = useState("");
  const goals = useQuery(goalsQuery).data ?? [];
  const converting = useMutation({ mutationFn: () => convertTask(text) });
  const found = converting.data ?? null;
  const isTooLong = text.length > MOST_CHARACTERS;

  const change = (next: string) => {
    setText(next);
    converting.reset();
  };
  const take = (conversion: Conversion) => {
    const content = conversion.document as JsonObject;
    // A file of this version stays as it was written, comments and all.
    const isReadable = conversion.format === "v2" && read(text).content !== null;
    tools.act({
      kind: "replace",
      draft: {
        text: isReadable ? text : write(content),
        decisions: decisionsOf(content, goals),
        suggested: null,
        etag: tools.draft.etag,
        isOpened: true,
        isEdited: true,
      },
    });
    onClose();
  };
  return (
    <Dialog onClose={onClose} title="Import" size="lg">
      <Stack gap="sm">
        <Text size="sm" className="quiet">
          A task file of version 1 or 2, or the command line of an engine, such as{" "}
          <code>vllm serve Qwen/Qwen3-32B --tensor-parallel-size 2</code>. It takes the place of the
          draft; undo brings that back.
        </Text>
        <Textarea
          aria-label="File or command line"
          value={text}
          onChange={(event) => change(event.currentTarget.value)}
          rows={10}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          spellCheck={false}
          data-autofocus
          error={
            isTooLong &&
            `${text.length.toLocaleString("en-US")} characters are more than any task has; the service reads ${MOST_CHARACTERS.toLocaleString("en-US")}`
          }
        />
        {converting.isError && <ErrorNotice error={converting.error} />}
        {found && (
          <Alert
            color={found.notes.length > 0 ? "yellow" : "green"}
            title={`This is ${FORMATS[found.format]}`}
          >
            {found.notes.length > 0 ? (
              <List size="sm">
                {found.notes.map((note) => (
                  <List.Item key={`${note.path}:${note.message}`} className="text-of-users">
                    {note.path && <strong>{note.path}: </strong>}
                    {note.message}
                  </List.Item>
                ))}
              </List>
            ) : (
              "Everything is carried over."
            )}
          </Alert>
        )}
        <Group justify="space-between">
          <FileButton
            onChange={(file) => void file?.text().then(change)}
            accept=".yaml,.yml,.json,.txt,.sh"
          >
            {(props) => (
              <Button variant="default" {...props}>
                Choose a file
              </Button>
            )}
          </FileButton>
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            {found ? (
              <Button onClick={() => take(found)}>Use it</Button>
            ) : (
              <Button
                onClick={() => converting.mutate()}
                loading={converting.isPending}
                disabled={text.trim() === "" || isTooLong}
              >
                Read it
              </Button>
            )}
          </Group>
        </Group>
      </Stack>
    </Dialog>
  );
}
