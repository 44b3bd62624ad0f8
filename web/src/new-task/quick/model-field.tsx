import { Autocomplete, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type ModelSummary, modelsQuery } from "~/api/catalog";
import type { Suggestion } from "~/api/plans";
import { counted, gibibytes, number } from "~/ui/format";
import classes from "./quick.module.css";

interface ModelFieldProps {
  value: string;
  onChange: (value: string) => void;
  /** What the service knows of it; null until it has answered. */
  model: Suggestion["model"] | null;
  fault: string | null;
}

const MOST_LISTED = 12;
const MOST_FITS = 4;

export function ModelField({ value, onChange, model, fault }: ModelFieldProps) {
  const models = useQuery(modelsQuery).data;
  const options = useMemo(() => matching(models ?? [], value), [models, value]);
  return (
    <div>
      <Autocomplete
        aria-label="Model"
        placeholder="Name in the catalog, org/name of a hub, or a path on the service's machine"
        data={options}
        filter={({ options: given }) => given}
        value={value}
        onChange={onChange}
        error={fault}
        spellCheck={false}
        autoComplete="off"
        maxLength={1000}
        selectFirstOptionOnChange={false}
      />
      <div className={classes.facts} aria-live="polite">
        {fault === null && <ModelFacts model={model} isEmpty={value.trim() === ""} />}
      </div>
    </div>
  );
}

function ModelFacts({ model, isEmpty }: { model: Suggestion["model"] | null; isEmpty: boolean }) {
  if (isEmpty) return <span className="quiet">What is to be served.</span>;
  if (model === null) return <span className="quiet">Looking it up</span>;
  if (!model.recognised) {
    return (
      <span className="quiet">
        Its shape is not known: it can be launched, and memory and speed cannot be predicted.
      </span>
    );
  }
  const fits = model.fits.slice(0, MOST_FITS);
  return (
    <>
      {model.parameters_b !== null && <span>{parametersText(model.parameters_b)} parameters</span>}
      {model.weights_gib !== null && <span>{gibibytes(model.weights_gib)} of weights</span>}
      {model.formats.length > 0 && <span>{model.formats.slice(0, 4).join(", ")}</span>}
      {fits.length > 0 ? (
        <Text
          component="span"
          inherit
          className="quiet"
          title={fits.map((fit) => fit.why).join("\n")}
        >
          fits{" "}
          {fits.map((fit) => (fit.gpus === 0 ? "this CPU" : `${fit.gpus} × ${fit.gpu}`)).join(", ")}
          {model.fits.length > fits.length &&
            ` and ${counted(model.fits.length - fits.length, "other device")}`}
        </Text>
      ) : (
        <span className="quiet">fits no single node of the catalog's GPUs</span>
      )}
    </>
  );
}

function parametersText(billions: number): string {
  return billions < 1 ? `${number(1000 * billions)} M` : `${number(billions)} B`;
}

/** Names of models that have every word that was typed, those that begin with it first. */
export function matching(models: readonly ModelSummary[], typed: string): string[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = models.flatMap((model) => {
    const named = model.names.filter((each) =>
      words.every((word) => each.toLowerCase().includes(word)),
    );
    // A model and its instruct variant are one in the catalog; whoever serves one means that one.
    const whole = named.filter((name) => name.includes("/"));
    return (whole.length > 0 ? whole : named.slice(0, 1)).map((name) => ({ model, name }));
  });
  const isFirst = (name: string) =>
    name
      .toLowerCase()
      .split("/")
      .some((part) => part.startsWith(words[0] ?? ""));
  const away = ({ model }: { model: ModelSummary }) => Number(!model.is_here);
  return [...found]
    .sort(
      (a, b) =>
        Number(isFirst(b.name)) - Number(isFirst(a.name)) ||
        away(a) - away(b) ||
        a.name.length - b.name.length,
    )
    .slice(0, MOST_LISTED)
    .map(({ name }) => name);
}
