import { Alert, Button, FileButton, Group, List, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { goalsQuery, limitsQuery } from "~/api/catalog";
import { type Conversion, convertTask } from "~/api/plans";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { count } from "~/ui/format";
import { read, write } from "./document/task-text";
import type { JsonObject } from "./document/values";
import { decisionsOf } from "./quick/decisions";
import type { DraftTools } from "./use-draft";

interface ImportDialogProps {
  tools: DraftTools;
  onClose: () => void;
}

/** What the service reads of a text, until it has said so itself. */
const USUAL_LIMIT_BYTES = 1_000_000;
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
  const limitBytes = useQuery(limitsQuery).data?.max_body_bytes ?? USUAL_LIMIT_BYTES;
  const [refusedBytes, setRefusedBytes] = useState<number | null>(null);

  const change = (next: string) => {
    setText(next);
    setRefusedBytes(null);
    converting.reset();
  };
  /** Whether a text may come in: a field of megabytes would keep the page from answering. */
  const mayTake = (bytes: number) => {
    if (bytes <= limitBytes) return true;
    setRefusedBytes(bytes);
    return false;
  };
  const takeFile = (file: File | null) => {
    if (file && mayTake(file.size)) void file.text().then(change);
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
          onPaste={(event) => {
            const pasted = new Blob([event.clipboardData.getData("text")]);
            if (!mayTake(pasted.size)) event.preventDefault();
          }}
          rows={found ? 4 : 10}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          spellCheck={false}
          data-autofocus
          error={
            refusedBytes !== null &&
            `${count(refusedBytes)} bytes were not taken in: the service reads ${count(limitBytes)} at the most`
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
          <FileButton onChange={takeFile} accept=".yaml,.yml,.json,.txt,.sh">
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
                disabled={text.trim() === ""}
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
