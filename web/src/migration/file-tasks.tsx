import { Button, Group, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type FileSearch, fileTasksQuery, PAGE_OF_FILE, type WaitingTask } from "~/api/migrations";
import { ErrorNotice } from "~/ui/error-notice";
import { count, counted } from "~/ui/format";
import { StaleBox } from "~/ui/stale-box";
import { LegacyTable } from "./legacy-table";
import { listed, PreviewDialog, previewColumn } from "./preview-dialog";

const TYPING_MS = 300;
const LONGEST_TEXT = 200;

interface FileTasksProps {
  file: File;
  engine: string | null;
  onEngine: (engine: string | null) => void;
}

/** The tasks of a database that was chosen; each opens beside what it becomes. */
export function FileTasks({ file, engine, onEngine }: FileTasksProps) {
  const [typed, setTyped] = useState("");
  const [offset, setOffset] = useState(0);
  const [text] = useDebouncedValue(typed.trim(), TYPING_MS);
  const [shown, setShown] = useState<WaitingTask | null>(null);
  const wanted: FileSearch = { text, offset };
  const query = useQuery({ ...fileTasksQuery(file, wanted), placeholderData: keepPreviousData });
  const items = query.data?.items ?? [];
  const total = query.data?.total ?? 0;
  const isPaged = total > PAGE_OF_FILE;
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="sm">
        <Title order={3} fz="sm">
          Its tasks, field by field
        </Title>
        <TextInput
          size="xs"
          type="search"
          aria-label="Find a task of the file"
          placeholder="Name or number"
          maxLength={LONGEST_TEXT}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setOffset(0);
          }}
        />
      </Group>
      {query.isPending && <Skeleton height={80} />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && items.length === 0 && (
        <Text size="sm" className="quiet" role="status">
          {text === "" ? "It has no tasks." : "No task of the file has this name or number."}
        </Text>
      )}
      {items.length > 0 && (
        <StaleBox isStale={query.isPlaceholderData}>
          <LegacyTable
            rows={items.map(listed)}
            name={({ name }) => name}
            remark={({ experiments }) => counted(experiments, "experiment")}
            columns={[previewColumn(setShown)]}
          />
        </StaleBox>
      )}
      {isPaged && (
        <Group justify="space-between" gap="sm">
          <Text size="xs" className="quiet" role="status">
            {count(offset + 1)} to {count(offset + items.length)} of {counted(total, "task")}
          </Text>
          <Group gap="xs">
            <Button
              size="xs"
              variant="default"
              disabled={offset === 0}
              onClick={() => setOffset(Math.max(0, offset - PAGE_OF_FILE))}
            >
              Previous
            </Button>
            <Button
              size="xs"
              variant="default"
              disabled={offset + PAGE_OF_FILE >= total}
              onClick={() => setOffset(offset + PAGE_OF_FILE)}
            >
              Next
            </Button>
          </Group>
        </Group>
      )}
      {shown && (
        <PreviewDialog
          task={shown}
          file={file}
          engine={engine}
          onEngine={onEngine}
          onClose={() => setShown(null)}
        />
      )}
    </Stack>
  );
}
