import { Button, FileButton, Group, NativeSelect, Text, TextInput } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { limitsQuery } from "~/api/catalog";
import {
  type ResultFile,
  type ResultFormat,
  readPlacedResults,
  resultFilesQuery,
  uploadResults,
} from "~/api/verify";
import { ErrorNotice } from "~/ui/error-notice";
import { FileDrop } from "~/ui/file-drop";
import { count } from "~/ui/format";
import classes from "./verify.module.css";

interface AddResultsProps {
  /** What they are for: names the fields to who cannot see where they stand. */
  what: string;
  onAdded: (found: ResultFile) => void;
}

/**
 * Adds results of another program: chosen or dropped here, or at a path on the service's machine.
 * Nothing where the reader may change nothing.
 */
export function AddResults({ what, onAdded }: AddResultsProps) {
  const { mayWrite } = useTaskActions();
  const queries = useQueryClient();
  const known = useQuery(resultFilesQuery).data;
  const limitBytes = useQuery(limitsQuery).data?.max_upload_bytes ?? Number.POSITIVE_INFINITY;
  const [format, setFormat] = useState<ResultFormat>(null);
  const [path, setPath] = useState("");
  const [tooLarge, setTooLarge] = useState<number | null>(null);
  const adding = useMutation({
    mutationFn: (given: readonly File[] | string) =>
      typeof given === "string" ? readPlacedResults(given, format) : uploadResults(given, format),
    onSuccess: (found) => {
      onAdded(found);
      void queries.invalidateQueries({ queryKey: resultFilesQuery.queryKey });
    },
  });
  const upload = (chosen: readonly File[]) => {
    if (chosen.length === 0 || adding.isPending) return;
    adding.reset();
    const bytes = chosen.reduce((sum, file) => sum + file.size, 0);
    setTooLarge(bytes > limitBytes ? bytes : null);
    if (bytes <= limitBytes) adding.mutate(chosen);
  };
  const read = () => {
    if (adding.isPending) return;
    setTooLarge(null);
    if (path.trim() !== "") adding.mutate(path.trim());
  };
  if (!mayWrite) return null;
  const isPath = typeof adding.variables === "string";
  return (
    <>
      <FileDrop onFiles={upload}>
        <Group gap="sm">
          <FileButton multiple onChange={upload}>
            {(props) => (
              <Button
                {...props}
                size="xs"
                variant="default"
                loading={adding.isPending && !isPath}
                leftSection={<IconUpload size={14} aria-hidden />}
              >
                Upload a file, or all files of one run
              </Button>
            )}
          </FileButton>
          <Text size="xs" className="quiet">
            {adding.isPending ? "Others can be added once these are read" : "or drop them here"}
          </Text>
        </Group>
      </FileDrop>
      <details>
        <summary className={classes.summary}>
          {format === null ? "Format, or a path" : `Read as ${format}; or a path`} on the service's
          machine
        </summary>
        <div className={classes.adding}>
          <NativeSelect
            size="xs"
            label="Format"
            aria-label={`Format of ${what}`}
            value={format ?? ""}
            onChange={(event) => setFormat((event.currentTarget.value || null) as ResultFormat)}
            data={[
              { value: "", label: "Detect it" },
              ...Object.keys(known?.formats ?? {}).map((name) => ({ value: name, label: name })),
            ]}
          />
          <Group gap="xs" align="end" wrap="nowrap">
            <TextInput
              size="xs"
              flex={1}
              miw={0}
              label="Path on the service's machine"
              description={rootsText(known?.roots)}
              placeholder="imports/run1"
              value={path}
              maxLength={1_000}
              onChange={(event) => setPath(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter") read();
              }}
            />
            <Button
              size="xs"
              variant="default"
              aria-label={`Read the path of ${what}`}
              disabled={path.trim() === ""}
              loading={adding.isPending && isPath}
              onClick={read}
            >
              Read
            </Button>
          </Group>
        </div>
      </details>
      {tooLarge !== null && (
        <Text size="sm" c="var(--bad)" role="alert">
          These files have {count(tooLarge)} bytes; this service accepts at most {count(limitBytes)}
          .
        </Text>
      )}
      {adding.isError && <ErrorNotice error={adding.error} />}
    </>
  );
}

function rootsText(roots: readonly string[] | undefined): string {
  if (!roots) return "A file, or the folder of one run";
  return `A file, or the folder of one run, in ${roots.join(" or ")}`;
}
