import { Group, NativeSelect, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { resultFilesQuery } from "~/api/verify";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { AddResults } from "./add-results";
import { ForgetButton } from "./forget-button";
import { type SideParts, sideParts } from "./search-params";
import { TaskPicker } from "./task-picker";
import classes from "./verify.module.css";

type Kind = SideParts["kind"];

const KINDS: { value: Kind; label: string }[] = [
  { value: "file", label: "Results from a file" },
  { value: "measured", label: "A task, as measured" },
  { value: "base", label: "A task, as its predictor predicted it" },
  { value: "calibrated", label: "A task, as predicted after calibration" },
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
        label="Missing settings"
        description="Settings that it does not state, separated by commas: tp=4, gpus=4"
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
  const files = useQuery(resultFilesQuery);
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
            { value: "", label: kept.length > 0 ? "Choose results" : "No results yet" },
            ...(id !== null && !kept.some((file) => file.id === id)
              ? [{ value: id, label: `Results ${id}` }]
              : []),
            ...choices,
          ]}
        />
        {id !== null && (
          <ForgetButton
            id={id}
            name={kept.find((file) => file.id === id)?.name ?? `Results ${id}`}
            label={`Delete the results of ${title.toLowerCase()}`}
            onForgotten={() => onChange(null)}
          />
        )}
      </Group>
      <AddResults what={title.toLowerCase()} onAdded={(found) => onChange(found.id)} />
      {files.isError && <ErrorNotice error={files.error} />}
    </>
  );
}
