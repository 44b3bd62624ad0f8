import { Text, TextInput, type TextInputProps } from "@mantine/core";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { type NumberRule, typedOrEmpty } from "./typed-number";
import { type ReportFault, useReportedFault } from "./use-reported-fault";

export interface NumberFieldProps
  extends Omit<TextInputProps, "value" | "defaultValue" | "onChange" | "type" | "step"> {
  value: number | null;
  /** Called with what is valid alone; null where the field is empty. */
  onChange: (value: number | null) => void;
  rule: NumberRule;
  /** Shown behind the number, and taken where it is typed or pasted too. */
  unit?: string;
  /** Whether the value is taken when the field is left, not with each key. */
  isTakenOnBlur?: boolean;
  /** Amount that an arrow key adds; 1 of whole numbers where it is left out. */
  step?: number;
  onFault?: ReportFault;
}

/** A number that is taken as it was typed, or stays as typed beside the reason: never altered. */
export function NumberField(props: NumberFieldProps) {
  const { value, onChange, rule, unit, onFault, error, isTakenOnBlur, ...rest } = props;
  const { step = rule.isWhole ? 1 : undefined, ...others } = rest;
  const [typed, setTyped] = useState<string | null>(null);
  // Half a number is no fault while the rest of it is typed.
  const [isFaultShown, setFaultShown] = useState(false);
  const isFocused = useRef(false);
  const read = (text: string) => typedOrEmpty(withoutUnit(text, unit), rule);
  const found = typed === null || others.disabled ? { value } : read(typed);
  const fault = "fault" in found ? found.fault : null;

  // What is typed here is not overwritten by the value that it became.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another value counts.
  useEffect(() => {
    setTyped((text) => {
      if (text === null) return null;
      const now = read(text);
      if ("value" in now && now.value === value) return text;
      // Cleared to type another, although something is suggested for what is left open.
      const isCleared = "value" in now && now.value === null;
      if (isFocused.current && isCleared) return text;
      return null;
    });
  }, [value]);

  useReportedFault(fault, onFault);

  const take = (text: string) => {
    const next = read(text);
    if ("value" in next && next.value !== value) onChange(next.value);
  };
  const type = (text: string) => {
    setTyped(text);
    if ("value" in read(text)) setFaultShown(false);
    if (!isTakenOnBlur) take(text);
  };
  const stepBy = (event: KeyboardEvent) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (step === undefined || direction === undefined) return;
    event.preventDefault();
    const from = ("value" in found ? found.value : null) ?? value ?? 0;
    const next = Number((from + direction * step).toPrecision(12));
    if ("value" in read(plain(next))) type(plain(next));
  };
  return (
    <TextInput
      {...others}
      inputMode="decimal"
      autoComplete="off"
      spellCheck={false}
      // As the value is typed, so that entering the field changes no text under the caret.
      value={others.disabled ? plain(value) : (typed ?? plain(value))}
      rightSection={unit && <UnitText unit={unit} />}
      rightSectionWidth={unit && `${unit.length + UNIT_ROOM_CH}ch`}
      rightSectionPointerEvents="none"
      aria-description={unit}
      error={(isFaultShown ? fault : null) ?? error}
      onChange={(event) => type(event.currentTarget.value)}
      onFocus={() => {
        isFocused.current = true;
      }}
      onBlur={() => {
        isFocused.current = false;
        if (isTakenOnBlur && typed !== null) take(typed);
        setFaultShown(fault !== null);
        if (fault === null) setTyped(null);
      }}
      onKeyDown={stepBy}
    />
  );
}

const UNIT_ROOM_CH = 3;

function UnitText({ unit }: { unit: string }) {
  return (
    <Text component="span" size="xs" className="quiet" ml="auto" pr="sm" aria-hidden>
      {unit}
    </Text>
  );
}

function plain(value: number | null): string {
  return value === null ? "" : String(value);
}

function withoutUnit(text: string, unit: string | undefined): string {
  const given = text.trim();
  return unit && given.endsWith(unit) ? given.slice(0, -unit.length) : given;
}
