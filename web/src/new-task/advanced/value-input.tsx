import { Autocomplete, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { type ReportFault, useReportedFault } from "~/ui/use-reported-fault";
import type { FieldSpec, InputKind } from "../document/task-schema";
import { textOf, typedValue } from "../document/typed-values";
import type { Json } from "../document/values";
import { same } from "../document/values";
import classes from "./advanced.module.css";

interface ValueInputProps {
  spec: FieldSpec;
  /** undefined where nothing is given. */
  value: Json | undefined;
  onChange: (value: Json) => void;
  onClear: () => void;
  choices: readonly Json[];
  placeholder: string;
  label: string;
  error: string | null;
  onFault?: ReportFault;
}

const ON_OFF = ["on", "off"];
/** How a list without words stands among the lists to try. */
const NO_WORDS = "none";
const LONG_TEXT: ReadonlySet<string> = new Set([
  "description",
  "metadata",
  "gpus",
  "misc.extra_args",
]);

/** One value of a field, by its kind. */
export function ValueInput(props: ValueInputProps) {
  const { spec, choices } = props;
  if (spec.kind === "list" && spec.name !== "misc.extra_args") {
    return <ListInput {...props} kind={spec.itemKind} />;
  }
  if (spec.kind === "boolean") return <ChoiceInput {...props} options={ON_OFF} />;
  if (spec.kind === "choice" && choices.length > 0) {
    return <ChoiceInput {...props} options={choices.map(String)} />;
  }
  return <TypedInput {...props} />;
}

/** Values to try, in order. */
export function AxisInput(props: ValueInputProps) {
  return <ListInput {...props} kind={props.spec.kind} />;
}

function ChoiceInput({
  spec,
  value,
  onChange,
  onClear,
  options,
  placeholder,
  label,
  error,
}: ValueInputProps & { options: string[] }) {
  const text = value === undefined ? null : textOf(spec.kind, value);
  return (
    <Select
      size="xs"
      aria-label={label}
      data={text !== null && !options.includes(text) ? [text, ...options] : options}
      value={text}
      placeholder={placeholder}
      error={error}
      clearable
      clearButtonProps={{ "aria-label": `Clear ${label}` }}
      onChange={(next) => {
        if (next === null) onClear();
        else commit(typedValue(spec, spec.kind, next), onChange);
      }}
    />
  );
}

/** Text that becomes a value when it is one; until then it stays as typed, with the reason. */
function TypedInput({
  spec,
  value,
  onChange,
  onClear,
  choices,
  placeholder,
  label,
  error,
  onFault,
}: ValueInputProps) {
  const shown = value === undefined ? "" : textOf(spec.kind, value);
  const [text, setText] = useState(shown);
  const [fault, setFault] = useState<string | null>(null);

  useReportedFault(fault, onFault);

  // The document may change elsewhere; what is being typed here for it is not overwritten.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a change of the document counts.
  useEffect(() => {
    const typed = typedValue(spec, spec.kind, text);
    if (text.trim() !== "" && "value" in typed && same(typed.value, value)) return;
    setText(shown);
    setFault(null);
  }, [shown]);

  const type = (next: string) => {
    setText(next);
    if (next.trim() === "") {
      setFault(null);
      onClear();
      return;
    }
    const typed = typedValue(spec, spec.kind, next);
    if ("fault" in typed) setFault(typed.fault);
    else {
      setFault(null);
      onChange(typed.value);
    }
  };
  const shared = {
    size: "xs",
    "aria-label": label,
    placeholder,
    error: fault ?? error,
    value: text,
    spellCheck: false,
  } as const;
  if (LONG_TEXT.has(spec.name) || spec.kind === "yaml") {
    return (
      <Textarea
        {...shared}
        rows={spec.kind === "yaml" ? 3 : 2}
        resize="vertical"
        onChange={(event) => type(event.currentTarget.value)}
      />
    );
  }
  if (choices.length > 0) {
    return (
      <Autocomplete
        {...shared}
        data={[...new Set(choices.map(String))]}
        limit={20}
        onChange={type}
      />
    );
  }
  const isNumber = spec.kind === "integer" || spec.kind === "number";
  return (
    <TextInput
      {...shared}
      inputMode={isNumber ? "decimal" : "text"}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}

function ListInput({
  spec,
  kind,
  value,
  onChange,
  onClear,
  choices,
  placeholder,
  label,
  error,
}: ValueInputProps & { kind: InputKind }) {
  const [fault, setFault] = useState<string | null>(null);
  const items = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const offered = kind === "boolean" ? ON_OFF : [...new Set(choices.map(String))];
  const change = (texts: string[]) => {
    const typed = texts.map((text) =>
      kind === "list" && text === NO_WORDS ? { value: [] } : typedValue(spec, kind, text),
    );
    const wrong = typed.find((each) => "fault" in each);
    if (wrong && "fault" in wrong) {
      setFault(wrong.fault);
      return;
    }
    setFault(null);
    const values = typed.flatMap((each) => ("value" in each ? [each.value] : []));
    if (values.length === 0) onClear();
    else onChange(values);
  };
  return (
    <TagsInput
      size="xs"
      aria-label={label}
      value={items.map((item) => textOf(kind, item) || NO_WORDS)}
      data={offered}
      placeholder={items.length === 0 ? placeholder : ""}
      error={fault ?? error}
      splitChars={kind === "list" ? ["\n"] : [",", " "]}
      acceptValueOnBlur
      classNames={{ inputField: classes.tags }}
      clearable
      onChange={change}
    />
  );
}

function commit(typed: ReturnType<typeof typedValue>, onChange: (value: Json) => void): void {
  if ("value" in typed) onChange(typed.value);
}
