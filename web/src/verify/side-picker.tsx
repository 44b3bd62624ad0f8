import {
  ActionIcon,
  Button,
  FileButton,
  Group,
  NativeSelect,
  Text,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { IconTrash, IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { limitsQuery } from "~/api/catalog";
import { forgetResults, resultFilesQuery, uploadResults } from "~/api/verify";
import { ErrorNotice } from "~/ui/error-notice";
import { count, counted } from "~/ui/format";
import { ForgetDialog } from "./forget-dialog";
import { type SideParts, sideParts } from "./search-params";
import { TaskPicker } from "./task-picker";
import classes from "./verify.module.css";

type Kind = SideParts["kind"];

const KINDS: { value: Kind; label: string }[] = [
  { value: "file", label: "Results of a file" },
  { value: "measured", label: "A task, as measured" },
  { value: "base", label: "A task, as its predictor said" },
  { value: "calibrated", label: "A task, as calibration said" },
];

interface SidePickerProps {
  title: string;
  hint: string;
  value: string | undefined;
  settings: string | undefined;
  onChange: (value: string | undefined) => void;
  onSettings: (value: string | undefined) => void;
}

/** One side of a comparison: uploaded results, or a task as it was measured or predicted. */
export function SidePicker(props: SidePickerProps) {
  const { title, hint, value, settings, onChange, onSettings } = props;
  const parts = sideParts(value);
  const [kind, setKind] = useState<Kind>(parts?.kind ?? "file");
  const shown = parts?.kind ?? kind;
  const choose = (next: Kind) => {
    setKind(next);
    const keeps = parts !== null && parts.kind !== "file" && next !== "file";
    onChange(keeps ? `${next}:${parts.which}` : undefined);
  };
  return (
    <fieldset className={classes.side}>
      <legend>{title}</legend>
      <Text size="xs" className="quiet">
        {hint}
      </Text>
      <NativeSelect
        size="sm"
        aria-label={`Kind of ${title.toLowerCase()}`}
        value={shown}
        onChange={(event) => choose(event.currentTarget.value as Kind)}
        data={KINDS}
      />
      {shown === "file" ? (
        <FilePicker
          title={title}
          id={parts?.kind === "file" ? parts.which : null}
          onChange={(id) => onChange(id === null ? undefined : `file:${id}`)}
        />
      ) : (
        <TaskPicker
          label={`Task of ${title.toLowerCase()}`}
          id={parts && parts.kind !== "file" ? Number(parts.which) : null}
          onChange={(id) => onChange(id === null ? undefined : `${shown}:${id}`)}
        />
      )}
      <TextInput
        key={settings ?? ""}
        size="xs"
        label="What it does not say"
        description="Settings with commas between them: tp=4, gpus=4"
        defaultValue={settings ?? ""}
        onBlur={(event) => onSettings(event.currentTarget.value.trim() || undefined)}
        onKeyDown={(event) => {
          if (event.key === "Enter") onSettings(event.currentTarget.value.trim() || undefined);
        }}
      />
    </fieldset>
  );
}

interface FilePickerProps {
  title: string;
  id: string | null;
  onChange: (id: string | null) => void;
}

function FilePicker({ title, id, onChange }: FilePickerProps) {
  const { mayWrite } = useTaskActions();
  const queries = useQueryClient();
  const files = useQuery(resultFilesQuery);
  const limitBytes = useQuery(limitsQuery).data?.max_upload_bytes ?? Number.POSITIVE_INFINITY;
  const [tooLarge, setTooLarge] = useState<number | null>(null);
  const [doomed, setDoomed] = useState<string | null>(null);
  const uploading = useMutation({
    mutationFn: uploadResults,
    onSuccess: (found) => {
      onChange(found.id);
      void queries.invalidateQueries({ queryKey: resultFilesQuery.queryKey });
    },
  });
  const forgetting = useMutation({
    mutationFn: forgetResults,
    onSuccess: () => {
      onChange(null);
      void queries.invalidateQueries({ queryKey: resultFilesQuery.queryKey });
    },
  });
  const take = (chosen: File[]) => {
    if (chosen.length === 0) return;
    uploading.reset();
    const bytes = chosen.reduce((sum, file) => sum + file.size, 0);
    setTooLarge(bytes > limitBytes ? bytes : null);
    if (bytes <= limitBytes) uploading.mutate(chosen);
  };
  const kept = files.data?.items ?? [];
  const choices = kept.map((file) => ({
    value: file.id,
    label: `${file.name} · ${file.format}, ${counted(file.points, "point")}`,
  }));
  return (
    <>
      <Group gap="xs" wrap="nowrap">
        <NativeSelect
          size="sm"
          flex={1}
          miw={0}
          aria-label={`Results of ${title.toLowerCase()}`}
          value={id ?? ""}
          onChange={(event) => onChange(event.currentTarget.value || null)}
          data={[
            { value: "", label: kept.length > 0 ? "Uploaded results" : "Nothing is uploaded yet" },
            ...(id !== null && !kept.some((file) => file.id === id)
              ? [{ value: id, label: `Results ${id}` }]
              : []),
            ...choices,
          ]}
        />
        {id !== null && mayWrite && (
          <Tooltip label="Forget these results">
            <ActionIcon
              variant="subtle"
              c="var(--bad)"
              aria-label={`Forget the results of ${title.toLowerCase()}`}
              loading={forgetting.isPending}
              onClick={() => setDoomed(id)}
            >
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      </Group>
      {mayWrite && (
        <Group gap="sm">
          <FileButton multiple onChange={take}>
            {(props) => (
              <Button
                {...props}
                size="xs"
                variant="default"
                loading={uploading.isPending}
                leftSection={<IconUpload size={14} aria-hidden />}
              >
                Upload a file, or all of one run
              </Button>
            )}
          </FileButton>
        </Group>
      )}
      {doomed !== null && (
        <ForgetDialog
          name={kept.find((file) => file.id === doomed)?.name ?? `Results ${doomed}`}
          onForget={() => forgetting.mutate(doomed)}
          onClose={() => setDoomed(null)}
        />
      )}
      {tooLarge !== null && (
        <Text size="sm" c="var(--bad)" role="alert">
          These are {count(tooLarge)} bytes, and this service reads {count(limitBytes)} at the most.
        </Text>
      )}
      {[files, uploading, forgetting].map(
        (one, place) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: there are always these three.
          one.isError && <ErrorNotice key={place} error={one.error} />,
      )}
    </>
  );
}
