/** A task of version 1 beside its task of version 2, field by field. */

import type { MigratedTask, MigrationNote } from "~/api/migrations";
import { asSentence } from "~/ui/sentence";

type Outcome = MigrationNote["outcome"];
export type Tone = "rests" | "done" | "stopped" | "failed";

export const OUTCOMES: Record<Outcome, { label: string; tone: Tone }> = {
  translated: { label: "Carried over", tone: "done" },
  changed: { label: "Changed", tone: "stopped" },
  extra_args: { label: "Engine flag", tone: "done" },
  empty: { label: "Sets nothing", tone: "rests" },
  overruled: { label: "Overruled", tone: "stopped" },
  kept: { label: "Kept beside", tone: "rests" },
  lost: { label: "Not carried over", tone: "failed" },
  open: { label: "To fill in", tone: "failed" },
};

/** Outcomes of keys that mean the same as before; the others are to be looked at. */
const AS_BEFORE: ReadonlySet<Outcome> = new Set(["translated", "extra_args", "empty", "kept"]);

export interface FieldRow {
  /** Dotted place in the task of version 1. */
  path: string;
  before: string;
  outcome: Outcome;
  /** Field of version 2; empty where there is none. */
  field: string;
  after: string;
  /** Why it is so, in a sentence; empty where the field and its value say all. */
  note: string;
}

/** Rows of a task's own keys, in their order; what is to be looked at comes first. */
export function fieldRows({ v1_document, document, notes }: MigratedTask): FieldRow[] {
  const own = notes.filter(({ path }) => path !== "" && !path.startsWith("experiments."));
  const rows = own.map(({ path, outcome, text }) => {
    const { field, isDefault, why } = readNote(document, text);
    const after = field === "" ? "" : shown(valueAt(document, field));
    return {
      path,
      before: isDefault ? "left out" : shown(valueAt(v1_document, path)),
      outcome,
      field,
      after,
      note: asSentence(isDefault ? "version 1's default" : withoutValue(why, after)),
    };
  });
  return rows.toSorted((one, other) => rank(one) - rank(other));
}

const DEFAULT = /^left out: v1's default, (\S+) /;

/** A field, and what a note says of it: its value, why it is another, or in which unit it is. */
const OF_FIELD = /^([\w.-]+)(?:[:,] (.*))?$/s;

/** The field of version 2 that a note names, and the rest of the note; all of it where it names none. */
function readNote(document: unknown, text: string) {
  const asDefault = DEFAULT.exec(text)?.[1];
  const [, named = "", rest = ""] = OF_FIELD.exec(text) ?? [];
  const field = asDefault ?? named;
  return field !== "" && valueAt(document, field) !== undefined
    ? { field, isDefault: asDefault !== undefined, why: rest }
    : { field: "", isDefault: false, why: text };
}

/** A note without the value that stands beside it. */
function withoutValue(why: string, value: string): string {
  if ([value, `'${value}'`].includes(why)) return "";
  return value !== "" && why.startsWith(`${value}, `) ? why.slice(value.length + 2) : why;
}

const rank = ({ outcome }: FieldRow) => (AS_BEFORE.has(outcome) ? 1 : 0);

export const isToLookAt = (row: FieldRow): boolean => rank(row) === 0;

/** Notes of the whole and of experiments, which are no fields. */
export function otherNotes({ notes }: MigratedTask): string[] {
  return notes
    .filter(({ path }) => path === "" || path.startsWith("experiments."))
    .map(({ path, text }) => (path === "" ? asSentence(text) : `${path}: ${asSentence(text)}`));
}

/** The value at a dotted place; a key may hold dots itself. */
export function valueAt(document: unknown, path: string): unknown {
  return inside(document, path.split("."));
}

function inside(value: unknown, keys: readonly string[]): unknown {
  if (keys.length === 0) return value;
  if (typeof value !== "object" || value === null) return undefined;
  for (let taken = 1; taken <= keys.length; taken += 1) {
    const key = keys.slice(0, taken).join(".");
    if (!Object.hasOwn(value, key)) continue;
    const found = inside((value as Record<string, unknown>)[key], keys.slice(taken));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A value in words: lists by commas, mappings as "ttft 0.8, weight 2". */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value === "" ? "empty" : value;
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(shown).join(", ");
  if (typeof value === "object") {
    const items = Object.entries(value).map(([key, item]) => `${key} ${shown(item)}`);
    return items.length === 0 ? "none" : items.join(", ");
  }
  return String(value);
}
