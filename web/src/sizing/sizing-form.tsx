import { MultiSelect, NativeSelect, SegmentedControl, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { gpusQuery } from "~/api/catalog";
import { NumberField } from "~/ui/number-field";
import { quantity } from "~/ui/quantities";
import { type Limits, limitsIn, type SizingSearch, textOf } from "./search-params";
import classes from "./sizing.module.css";

interface SizingFormProps {
  search: SizingSearch;
  onChange: (part: SizingSearch) => void;
  /** Limits of the task, which count where there are no others. */
  own: Limits;
  /** Why a parameter is refused, by its name. */
  faultAt: (name: string) => string | null;
}

type TrafficKind = "rate" | "users";

/** Limits that are always offered; others where the task has them. */
const USUAL = ["ttft_ms", "tpot_ms", "e2e_p90_ms"];
const ABOVE_ZERO = { above: 0, most: 1e9 };
const SECONDS = { least: 0, most: 1e6 };
const HEADROOM = { least: 0, most: 99 };
const GROWTH = { least: 0, most: 999 };
const MONTHS = { least: 1, most: 120, isWhole: true };

/** Traffic, limits, prices and GPUs; what is typed goes to the address at once. */
export function SizingForm(props: SizingFormProps) {
  const { search, onChange, faultAt } = props;
  const [chosen, setChosen] = useState<TrafficKind>("rate");
  const given = (["rate", "users"] as const).find((kind) => search[kind] !== undefined);
  const kind = given ?? chosen;
  return (
    <section className="card card-stack" aria-labelledby="traffic">
      <Title order={2} fz="md" id="traffic">
        Traffic to hold
      </Title>
      <div className={classes.fields}>
        <div>
          <Text size="sm" fw={500} mb={4} id="counted-in">
            Counted in
          </Text>
          <SegmentedControl
            size="sm"
            aria-labelledby="counted-in"
            value={kind}
            onChange={(next) => {
              setChosen(next as TrafficKind);
              onChange({ rate: undefined, users: undefined, think: undefined });
            }}
            data={[
              { value: "rate", label: "Requests" },
              { value: "users", label: "Users" },
            ]}
          />
        </div>
        <NumberField
          key={kind}
          className={classes.field}
          label={kind === "rate" ? "Requests per second" : "Users at once"}
          rule={ABOVE_ZERO}
          value={search[kind] ?? null}
          onChange={(value) => onChange({ [kind]: value ?? undefined })}
          error={faultAt(kind)}
        />
        {kind === "users" && (
          <NumberField
            className={classes.field}
            label="Think time"
            unit="s"
            rule={SECONDS}
            placeholder="0"
            value={search.think ?? null}
            onChange={(value) => onChange({ think: value ?? undefined })}
            error={faultAt("think_s")}
          />
        )}
        <NumberField
          className={classes.field}
          label="Head room"
          unit="%"
          rule={HEADROOM}
          placeholder="20"
          value={search.headroom ?? null}
          onChange={(value) => onChange({ headroom: value ?? undefined })}
          error={faultAt("headroom")}
        />
        <NumberField
          className={classes.field}
          label="Growth per month"
          unit="%"
          rule={GROWTH}
          placeholder="none"
          value={search.growth ?? null}
          onChange={(value) => onChange({ growth: value ?? undefined })}
          error={faultAt("growth_per_month")}
        />
        {search.growth !== undefined && (
          <NumberField
            className={classes.field}
            label="Months"
            rule={MONTHS}
            placeholder="12"
            value={search.months ?? null}
            onChange={(value) => onChange({ months: value ?? undefined })}
            error={faultAt("months")}
          />
        )}
      </div>
      <LimitFields {...props} />
      <SourceFields {...props} />
    </section>
  );
}

function LimitFields({ search, onChange, own, faultAt }: SizingFormProps) {
  const given = limitsIn(search.slo ?? "");
  const limits = { ...own, ...given };
  const names = [...new Set([...USUAL, ...Object.keys(own), ...Object.keys(given)])];
  const change = (name: string, limit: number | null) => {
    const { [name]: _, ...others } = given;
    const isDropped = limit === null && name in own;
    const next = limit === null && !isDropped ? others : { ...others, [name]: limit };
    onChange({ slo: textOf(next) || undefined });
  };
  return (
    <div className={classes.fields}>
      {names.map((name) => (
        <NumberField
          key={name}
          className={classes.field}
          label={`${quantity(name).short} at most`}
          unit="ms"
          rule={ABOVE_ZERO}
          placeholder="no limit"
          value={limits[name] ?? null}
          onChange={(limit) => change(name, limit)}
          error={faultAt(name)}
        />
      ))}
    </div>
  );
}

function SourceFields({ search, onChange, faultAt }: SizingFormProps) {
  const gpus = useQuery(gpusQuery).data;
  const names = useMemo(
    () => (gpus ?? []).filter((gpu) => !gpu.is_cpu).map(({ name }) => name),
    [gpus],
  );
  const chosen = search.gpus?.split(",") ?? [];
  return (
    <div className={classes.fields}>
      <NativeSelect
        label="Figures from"
        value={chosen.length > 0 ? "predicted" : (search.source ?? "")}
        disabled={chosen.length > 0}
        onChange={(event) => onChange({ source: sourceOf(event.currentTarget.value) })}
        data={[
          { value: "", label: "Measurements, else predictions" },
          { value: "measured", label: "Measurements" },
          { value: "predicted", label: "Predictions" },
        ]}
      />
      <MultiSelect
        className={classes.wide}
        label="Predicted on other GPUs"
        placeholder={chosen.length === 0 ? "this task's own device" : undefined}
        data={[...new Set([...chosen, ...names])]}
        value={chosen}
        onChange={(given) => onChange({ gpus: given.join(",") || undefined, price: undefined })}
        error={faultAt("gpu")}
        searchable
        hidePickedOptions
        nothingFoundMessage="Nothing of that name in the catalog"
      />
      {chosen.length < 2 && (
        <NumberField
          className={classes.field}
          label="Price per GPU and hour"
          unit="USD"
          rule={ABOVE_ZERO}
          placeholder="the known one"
          value={search.price ?? null}
          onChange={(value) => onChange({ price: value ?? undefined })}
          error={faultAt("usd_per_gpu_hour")}
        />
      )}
    </div>
  );
}

function sourceOf(value: string): SizingSearch["source"] {
  return value === "measured" || value === "predicted" ? value : undefined;
}
