import { ActionIcon, Badge, SegmentedControl, Tooltip } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { memo } from "react";
import { setting } from "~/ui/format";
import { WithCode } from "~/ui/with-code";
import type { FieldSpec } from "../document/task-schema";
import type { Json } from "../document/values";
import type { OnFault } from "../quick/decisions";
import classes from "./advanced.module.css";
import { type FieldState, useForm } from "./form-context";
import { AxisInput, ValueInput } from "./value-input";

const FORMS = [
  { value: "fixed", label: "Fixed" },
  { value: "list", label: "List" },
];

/** A field: its name, its value or the values to try, and where what applies comes from. */
export function FieldRow({ spec }: { spec: FieldSpec }) {
  const { tools, stateOf, choicesOf, engines, onFault } = useForm();
  const state = stateOf(spec);
  return (
    <Row
      spec={spec}
      state={state}
      choices={choicesOf(spec)}
      engines={engines.join(", ")}
      onChange={tools.setValue}
      onRemove={tools.removeValue}
      onFault={onFault}
    />
  );
}

interface RowProps {
  spec: FieldSpec;
  state: FieldState;
  choices: readonly Json[];
  engines: string;
  onChange: (path: FieldState["path"], value: Json) => void;
  onRemove: (path: FieldState["path"]) => void;
  onFault: OnFault;
}

const Row = memo(function Row(props: RowProps) {
  const { spec, state, choices, engines, onChange, onRemove, onFault } = props;
  const { path, given, isAxis, faults } = state;
  const label = spec.unit ? `${spec.title}, ${spec.unit}` : spec.title;
  const shared = {
    spec,
    value: given,
    choices,
    label,
    placeholder: placeholderOf(state),
    error: faults.length > 0 ? faults.join("; ") : null,
    onChange: (value: Json) => onChange(path, value),
    onClear: () => onRemove(path),
    onFault: (fault: string | null) => onFault(spec.name, fault),
  };
  const turn = (form: string) => {
    const first = Array.isArray(given) ? given[0] : given;
    if (form === "list" && !isAxis && given !== undefined) onChange(path, [given]);
    if (form === "fixed" && isAxis && first !== undefined) onChange(path, first);
  };
  return (
    <div className={classes.field} data-given={given !== undefined} id={`field-${spec.name}`}>
      <div className={classes.label}>
        <span title={spec.name}>
          {spec.title}
          {spec.unit && !spec.title.toLowerCase().includes(spec.unit.toLowerCase()) && (
            <span className="quiet"> {spec.unit}</span>
          )}
        </span>
        <span className={`quiet ${classes.description}`}>
          <WithCode text={spec.description} />
        </span>
        {!state.isExpressible && <span className={classes.note}>{engines} cannot express it</span>}
      </div>
      <div className={classes.value}>
        {isAxis ? <AxisInput {...shared} /> : <ValueInput {...shared} />}
        {spec.isSearchable && given !== undefined && (
          <SegmentedControl
            size="xs"
            data={FORMS}
            value={isAxis ? "list" : "fixed"}
            onChange={turn}
            aria-label={`${spec.title}: one value or a list to try`}
          />
        )}
      </div>
      <Origin state={state} label={label} onRemove={() => onRemove(path)} />
    </div>
  );
});

function Origin({
  state,
  label,
  onRemove,
}: {
  state: FieldState;
  label: string;
  onRemove: () => void;
}) {
  const { given, inherited } = state;
  if (given !== undefined) {
    const instead =
      inherited.value === undefined
        ? "what the engine takes by itself"
        : `${setting(inherited.value)}, from ${nameOf(inherited)}`;
    return (
      <div className={classes.origin}>
        <Badge size="sm" variant="light" tt="none" color={state.isSuggested ? "gray" : undefined}>
          {state.isSuggested ? "Suggested" : "You"}
        </Badge>
        <Tooltip label={`Take back: then ${instead}`}>
          <ActionIcon
            size="sm"
            variant="subtle"
            onClick={onRemove}
            aria-label={`Take back ${label}`}
          >
            <IconX size={13} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
    );
  }
  if (inherited.origin === "open") return <div className={classes.origin} />;
  return (
    <div className={classes.origin}>
      <Tooltip label={inherited.why} disabled={inherited.why === ""}>
        <Badge
          size="sm"
          variant="default"
          tt="none"
          fw={500}
          tabIndex={inherited.why ? 0 : undefined}
        >
          {nameOf(inherited)}
        </Badge>
      </Tooltip>
    </div>
  );
}

function nameOf({ origin, by }: FieldState["inherited"]): string {
  if (origin === "profile") return `Profile ${by}`;
  if (origin === "engine") return "Engine";
  return "Default";
}

function placeholderOf({ inherited }: FieldState): string {
  if (inherited.value !== undefined) return setting(inherited.value);
  return inherited.origin === "engine" ? "engine's own" : "not set";
}
