import { Autocomplete, Select, Text } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { devicesQuery, enginesQuery, gpusQuery, modelsQuery } from "~/api/catalog";
import { matching } from "~/new-task/quick/model-field";
import { deviceGroups } from "~/new-task/quick/system-field";
import { NumberField } from "~/ui/number-field";
import classes from "./profiles.module.css";
import type { Circumstances } from "./search-params";

interface CircumstancesFormProps {
  value: Circumstances;
  onChange: (value: Circumstances) => void;
}

const AFTER_MS = 350;
const MOST_TOKENS = 10_000_000;

/** Model, device, engine and requests for which profiles are shown. */
export function CircumstancesForm({ value, onChange }: CircumstancesFormProps) {
  const models = useQuery(modelsQuery).data;
  const gpus = useQuery(gpusQuery).data;
  const devices = useQuery(devicesQuery).data;
  const engines = useQuery(enginesQuery).data;
  const groups = useMemo(() => deviceGroups(devices ?? [], gpus ?? []), [devices, gpus]);
  // What is typed is shown at once; the address, and what depends on it, follows a moment later.
  const [typed, setTyped] = useState(value);
  const publish = useDebouncedCallback(onChange, AFTER_MS);
  const change = (given: Circumstances) => {
    const next = { ...typed, ...given };
    setTyped(next);
    publish(next);
  };
  const options = useMemo(() => matching(models ?? [], typed.model ?? ""), [models, typed.model]);
  return (
    <section className={`card ${classes.circumstances}`} aria-label="Shown for">
      <Text className={classes.label} size="sm" fw={600}>
        Shown for
      </Text>
      <Autocomplete
        className={classes.model}
        label="Model"
        data={options}
        filter={({ options: given }) => given}
        value={typed.model ?? ""}
        onChange={(model) => change({ model: model.trim() === "" ? undefined : model.trim() })}
        spellCheck={false}
        maxLength={1_000}
        selectFirstOptionOnChange={false}
      />
      <Select
        className={classes.device}
        label="Device"
        data={groups}
        value={typed.gpu ?? null}
        onChange={(gpu) => change({ gpu: gpu ?? undefined })}
        onFocus={(event) => event.currentTarget.select()}
        searchable
        allowDeselect={false}
        nothingFoundMessage="Nothing in the catalog has that name"
      />
      <Count
        label="GPUs"
        value={typed.gpus}
        most={100_000}
        disabled={typed.gpu === "cpu"}
        onChange={(gpus) => change({ gpus })}
      />
      <Select
        className={classes.engine}
        label="Engine"
        data={(engines ?? []).map(({ name, title }) => ({ value: name, label: title }))}
        value={typed.engine ?? null}
        onChange={(engine) => change({ engine: engine ?? undefined })}
        allowDeselect={false}
      />
      <Count
        label="Input tokens"
        value={typed.isl}
        most={MOST_TOKENS}
        onChange={(isl) => change({ isl })}
      />
      <Count
        label="Output tokens"
        value={typed.osl}
        most={MOST_TOKENS}
        onChange={(osl) => change({ osl })}
      />
    </section>
  );
}

interface CountProps {
  label: string;
  value: number | undefined;
  most: number;
  disabled?: boolean;
  onChange: (value: number | undefined) => void;
}

function Count({ label, value, most, disabled = false, onChange }: CountProps) {
  return (
    <NumberField
      className={classes.count}
      label={label}
      rule={{ least: 1, most, isWhole: true }}
      disabled={disabled}
      value={disabled ? null : (value ?? null)}
      onChange={(given) => onChange(given ?? undefined)}
    />
  );
}
