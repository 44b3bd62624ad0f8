import { Autocomplete, Button, Select } from "@mantine/core";
import { IconChartDots } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useCallback, useEffect, useMemo, useState } from "react";
import { devicesQuery, enginesQuery, gpusQuery, modelsQuery } from "~/api/catalog";
import { matching } from "~/new-task/quick/model-field";
import { deviceGroups } from "~/new-task/quick/system-field";
import type { WantedTask } from "~/new-task/search-params";
import { NumberField } from "~/ui/number-field";
import classes from "./start.module.css";

interface RecommendFormProps {
  /** What the fields begin with. */
  first: WantedTask;
  /** What the address says; another one is shown in the fields. */
  address: WantedTask;
  isAsking: boolean;
  onAsk: (wanted: WantedTask) => void;
  /** Why a parameter is refused, by its name. */
  faultAt: (name: string) => string | null;
}

const CPU = "cpu";
const ANY = "any";
const GPUS = { least: 1, most: 100_000, isWhole: true };
const TOKENS = { least: 1, most: 10_000_000, isWhole: true };
const ABOVE_ZERO = { above: 0, most: 1e9 };
const NUMBERS = [
  { key: "isl", label: "Input tokens", rule: TOKENS, fault: "isl" },
  { key: "osl", label: "Output tokens", rule: TOKENS, fault: "osl" },
  { key: "ttft", label: "TTFT at most", rule: ABOVE_ZERO, fault: "ttft_ms" },
  { key: "tpot", label: "TPOT at most", rule: ABOVE_ZERO, fault: "tpot_ms" },
] as const;

/** Model, devices, requests and limits; asked with its button, as predicting takes seconds. */
export function RecommendForm(props: RecommendFormProps) {
  const { first, address, isAsking, onAsk, faultAt } = props;
  const models = useQuery(modelsQuery).data;
  const gpus = useQuery(gpusQuery).data;
  const devices = useQuery(devicesQuery).data;
  const engines = useQuery(enginesQuery).data;
  const groups = useMemo(() => deviceGroups(devices ?? [], gpus ?? []), [devices, gpus]);
  const [wanted, setWanted] = useState(first);
  const [faulty, setFaulty] = useState<readonly string[]>([]);
  const options = useMemo(() => matching(models ?? [], wanted.model ?? ""), [models, wanted.model]);
  const change = (part: WantedTask) => setWanted((before) => ({ ...before, ...part }));
  const onFault = useCallback((field: string, fault: string | null) => {
    setFaulty((before) => {
      const others = before.filter((one) => one !== field);
      if (fault === null) return others.length === before.length ? before : others;
      return others.length === before.length ? [...before, field] : before;
    });
  }, []);
  // Going back shows what was asked then.
  useEffect(() => {
    if (Object.keys(address).length > 0) setWanted((before) => ({ ...before, ...address }));
  }, [address]);
  const isComplete = Boolean(wanted.model?.trim() && wanted.gpu) && faulty.length === 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isComplete) return;
    const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
    onAsk(Object.fromEntries(given));
  };
  return (
    <form className={classes.fields} onSubmit={submit} noValidate>
      <Autocomplete
        className={classes.model}
        label="Model"
        placeholder="Name in the catalog, org/name of a hub, or a path"
        data={options}
        filter={({ options: given }) => given}
        value={wanted.model ?? ""}
        onChange={(model) => change({ model: model === "" ? undefined : model })}
        error={faultAt("model")}
        spellCheck={false}
        maxLength={1_000}
        selectFirstOptionOnChange={false}
      />
      <Select
        className={classes.device}
        label="Device"
        data={groups}
        value={wanted.gpu ?? null}
        onChange={(gpu) => change({ gpu: gpu ?? undefined })}
        onFocus={(event) => event.currentTarget.select()}
        error={faultAt("gpu")}
        searchable
        allowDeselect={false}
        nothingFoundMessage="Nothing in the catalog has that name"
      />
      {wanted.gpu !== CPU && (
        <NumberField
          className={classes.number}
          label="GPUs"
          rule={GPUS}
          placeholder="1"
          value={wanted.gpus ?? null}
          onChange={(value) => change({ gpus: value ?? undefined })}
          onFault={(fault) => onFault("gpus", fault)}
          error={faultAt("gpus")}
        />
      )}
      <Select
        className={classes.device}
        label="Engine"
        data={[
          { value: ANY, label: "All that can serve it" },
          ...(engines ?? []).map(({ name, title }) => ({ value: name, label: title })),
        ]}
        value={wanted.engine ?? ANY}
        onChange={(engine) => change({ engine: engine && engine !== ANY ? engine : undefined })}
        error={faultAt("engine")}
        allowDeselect={false}
      />
      {NUMBERS.map(({ key, label, rule, fault }) => (
        <NumberField
          key={key}
          className={classes.number}
          label={label}
          rule={rule}
          unit={rule === ABOVE_ZERO ? "ms" : undefined}
          placeholder={rule === ABOVE_ZERO ? "no limit" : "usual"}
          value={wanted[key] ?? null}
          onChange={(value) => change({ [key]: value ?? undefined })}
          onFault={(why) => onFault(key, why)}
          error={faultAt(fault)}
        />
      ))}
      <Button
        type="submit"
        className={classes.ask}
        // Not taken away while it works, so that the focus stays.
        aria-disabled={!isComplete || undefined}
        data-disabled={!isComplete || undefined}
        loading={isAsking}
        leftSection={<IconChartDots size={16} aria-hidden />}
      >
        Recommend
      </Button>
    </form>
  );
}
