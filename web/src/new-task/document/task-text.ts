/** A task as the text that its author sees, read; and a document written as text. */

import { type Document, type ErrorCode, parseDocument, stringify } from "yaml";
import { isObject, type Json, type JsonObject } from "./values";

/** A fault of the text itself, by its place in it. */
export interface TextFault {
  from: number;
  to: number;
  message: string;
}

export interface TaskText {
  text: string;
  document: Document.Parsed | null;
  /** What the text says; null where it cannot be read. */
  content: JsonObject | null;
  faults: readonly TextFault[];
}

/** Beyond this a text is kept and shown, and not read: no task is a tenth as long. */
export const MOST_CHARACTERS = 400_000;

// The service reads files with the words of YAML 1.1 (`on`, `yes`), so the page does too.
export const READING = { version: "1.1", merge: true, prettyErrors: false } as const;
const WRITING = {
  version: "1.1",
  collectionStyle: "flow",
  flowCollectionPadding: false,
  lineWidth: 0,
  blockQuote: false,
} as const;

/** Keys of a task in the order in which they are written. */
export const ORDER = [
  "version",
  "name",
  "description",
  "deployment_mode",
  "replay",
  "model",
  "engine_path",
  "gpus",
  "profiles",
  "runtime",
  "system",
  "parallel",
  "quantization",
  "memory",
  "scheduling",
  "attention",
  "misc",
  "combinations",
  "optimization",
  "benchmark",
  "slo",
  "prediction",
  "metadata",
];

export function read(text: string): TaskText {
  if (text.length > MOST_CHARACTERS) {
    const message = `The text has ${text.length.toLocaleString("en-US")} characters; a task has at most ${MOST_CHARACTERS.toLocaleString("en-US")}. Nothing was lost: shorten it, or undo.`;
    return { text, document: null, content: null, faults: [{ from: 0, to: 0, message }] };
  }
  const document = parseDocument(text, READING);
  const faults: TextFault[] = document.errors.map((error) => ({
    from: error.pos[0],
    to: error.pos[1],
    message: `Line ${lineOf(text, error.pos[0])}: ${MEANT[error.code] ?? error.message}`,
  }));
  if (faults.length > 0) return { text, document, content: null, faults };
  try {
    const content: unknown = document.toJS({ maxAliasCount: 200 }) ?? {};
    if (isObject(content)) return { text, document, content, faults };
    faults.push({ from: 0, to: 0, message: "A task is a mapping of keys to values." });
  } catch (error) {
    faults.push({
      from: 0,
      to: 0,
      message: error instanceof Error ? error.message : String(error),
    });
  }
  return { text, document, content: null, faults };
}

/** Words for the faults that are made most, in place of a parser's. */
const MEANT: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: "the indentation does not fit the lines around it",
  BLOCK_AS_IMPLICIT_KEY: "a key and its value belong on a line of their own",
  DUPLICATE_KEY: "this key is given twice; keep one",
  MISSING_CHAR: "a quote, a bracket or the colon behind a key is missing",
  MULTIPLE_DOCS: "a file holds one task; remove what follows ---",
  TAB_AS_INDENT: "indent with spaces, not tabs",
};

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

/** A whole document as text, a group a block, lists on one line. */
export function write(content: JsonObject): string {
  const known = ORDER.filter((key) => key in content);
  const others = Object.keys(content).filter((key) => !ORDER.includes(key));
  const lines = [...known, ...others].flatMap((key) => topLevelLines(key, content[key] ?? null));
  return lines.length > 0 ? `${lines.join("\n")}\n` : "";
}

/** A value on one line, safe in flow and block collections alike. */
export function inline(value: Json): string {
  const text = stringify([value], WRITING).trimEnd().slice(1, -1);
  // Text of several lines would be folded over lines; as JSON it stays on one.
  return text.includes("\n") ? JSON.stringify(value) : text;
}

/** A key of the document with its value: a mapping is a block, each of its items one line. */
export function topLevelLines(key: string, value: Json): string[] {
  if (Array.isArray(value) && value.length > 0 && value.every(isObject)) {
    return [`${inline(key)}:`, ...value.map((item) => `  - ${inline(item)}`)];
  }
  const items = isObject(value) ? Object.entries(value) : [];
  if (items.length === 0) return [`${inline(key)}: ${inline(value)}`];
  return [`${inline(key)}:`, ...items.map(([name, item]) => `  ${inline(name)}: ${inline(item)}`)];
}
