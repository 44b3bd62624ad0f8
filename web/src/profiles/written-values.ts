/** Values and conditions of profiles as one types them: "8, 16", "at least 4", "rule all_replicas". */

import { isObject, type Json } from "~/new-task/document/values";

const RULE = /^rule:?\s+(\S+)$/;
/** A list, a mapping or a text as JSON has it. */
const QUOTED = /^[[{"]/;
const LEAST = /^(?:at least|>=)\s*(.+)$/;
const MOST = /^(?:at most|<=)\s*(.+)$/;
const WITHIN = /^(\S+)\s+to\s+(\S+)$/;

/** The value that a text stands for; undefined where it stands for none. */
export function readValue(text: string): Json | undefined {
  const typed = text.trim();
  if (typed === "") return undefined;
  if (QUOTED.test(typed)) return parsed(typed);
  if (typed.includes(",")) {
    const items = typed.split(",").map((item) => scalarOf(item.trim()));
    return items.every((item) => item !== undefined) ? (items as Json[]) : undefined;
  }
  return scalarOf(typed);
}

/** A value as one types it. */
export function textOf(value: unknown): string {
  if (Array.isArray(value) && value.length > 1 && value.every(isPlain)) {
    return value.map(textOf).join(", ");
  }
  if (typeof value === "string") return isPlain(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? "";
}

/** What a condition asks of a fact; undefined where the text asks nothing. */
export function wantedOf(text: string): Json | undefined {
  const typed = text.trim();
  if (QUOTED.test(typed)) return readValue(typed);
  const [, from, to] = WITHIN.exec(typed) ?? [];
  if (from !== undefined && to !== undefined) return bounds(from, to);
  const [, least] = LEAST.exec(typed) ?? [];
  if (least !== undefined) return bounds(least, undefined);
  const [, most] = MOST.exec(typed) ?? [];
  return most === undefined ? readValue(typed) : bounds(undefined, most);
}

/** A condition as one types it. */
export function wantedText(wanted: unknown): string {
  if (!isObject(wanted)) return textOf(wanted);
  const { min, max } = wanted;
  if (min !== undefined && max !== undefined) return `${textOf(min)} to ${textOf(max)}`;
  return min === undefined ? `at most ${textOf(max)}` : `at least ${textOf(min)}`;
}

/** Name of the rule that a text asks for; null where it is a value. */
export function ruleOf(text: string): string | null {
  return RULE.exec(text.trim())?.[1] ?? null;
}

export const ruleText = (rule: string) => `rule ${rule}`;

function bounds(min: string | undefined, max: string | undefined): Json {
  return {
    ...(min === undefined ? {} : { min: scalarOf(min) ?? min }),
    ...(max === undefined ? {} : { max: scalarOf(max) ?? max }),
  };
}

function scalarOf(text: string): Json | undefined {
  if (text === "") return undefined;
  const value = parsed(text);
  return value === undefined ? text : value;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Whether a value stands in a list as it is, and is read as the same. */
function isPlain(value: unknown): boolean {
  if (typeof value === "number" || typeof value === "boolean") return true;
  return (
    typeof value === "string" &&
    readValue(value) === value &&
    wantedOf(value) === value &&
    ruleOf(value) === null
  );
}
