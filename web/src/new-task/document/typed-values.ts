/** Text that is typed into a field -> the value that it stands for, and back. Pure. */

import { parse } from "yaml";
import { quoted, typedNumber } from "~/ui/typed-number";
import type { FieldSpec, InputKind } from "./task-schema";
import { inline } from "./task-text";
import type { Json } from "./values";

export type Typed = { value: Json } | { fault: string };

/** A single value of a field; its words (`auto`) stand beside numbers. */
export function typedValue(spec: FieldSpec, kind: InputKind, text: string): Typed {
  const given = text.trim();
  if (Array.isArray(spec.choices) && spec.choices.includes(given)) return { value: given };
  switch (kind) {
    case "integer":
    case "number":
      return typedNumber(given, { isWhole: kind === "integer" });
    case "boolean":
      if (given === "true" || given === "on") return { value: true };
      if (given === "false" || given === "off") return { value: false };
      return { fault: `${quoted(given)} is neither on nor off` };
    case "list":
      return typedWords(given);
    case "yaml":
      return typedYaml(given);
    default:
      return { value: given };
  }
}

export function textOf(kind: InputKind, value: Json): string {
  if (kind === "list" && Array.isArray(value)) return joinedWords(value.map(String));
  if (kind === "yaml") return inline(value);
  if (typeof value === "object" && value !== null) return inline(value);
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value);
}

function typedYaml(given: string): Typed {
  try {
    return { value: parse(given, { version: "1.1" }) as Json };
  } catch (error) {
    return { fault: error instanceof Error ? (error.message.split("\n")[0] ?? "") : "is no YAML" };
  }
}

const WORD = /"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g;

/** Words of a command line; quotes keep spaces together. */
function typedWords(given: string): Typed {
  const words = [...given.matchAll(WORD)].map(
    ([, double, single, bare]) => double?.replace(/\\(.)/g, "$1") ?? single ?? bare ?? "",
  );
  return { value: words };
}

function joinedWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[^\s"']+$/.test(word) ? word : `"${word.replace(/(["\\])/g, "\\$1")}"`))
    .join(" ");
}
