/** What may stand at the cursor in a task's YAML, by the schema. Pure. */

import type { FieldSpec, GroupSpec } from "./task-schema";
import { TASK } from "./task-schema";
import { inline } from "./task-text";

export interface Option {
  label: string;
  detail: string;
  info: string;
  /** What is written in place of what was typed. */
  apply: string;
}

export interface Completion {
  from: number;
  options: Option[];
}

/** Choices of a field as the page knows them. */
export type ChoicesOf = (field: FieldSpec) => readonly unknown[];

const TYPED_KEY = /[\w-]*$/;
const TYPED_VALUE = /[^\s,[\]{}]*$/;

export function completionAt(
  text: string,
  position: number,
  groups: readonly GroupSpec[],
  choicesOf: ChoicesOf,
): Completion | null {
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  const line = text.slice(lineStart, position);
  if (/(^|\s)#/.test(line)) return null;
  const owner = ownerOf(text, lineStart, line);
  const key = keyBefore(line);
  if (key !== null) {
    const field = fieldNamed(groups, owner, key);
    const options = field ? choicesOf(field).map((value) => valueOption(value)) : [];
    return options.length > 0
      ? { from: position - (TYPED_VALUE.exec(line)?.[0].length ?? 0), options }
      : null;
  }
  const from = position - (TYPED_KEY.exec(line)?.[0].length ?? 0);
  return { from, options: owner === null ? topOptions(groups) : fieldOptions(groups, owner) };
}

/** The group in which the cursor is; null at the top level. */
function ownerOf(text: string, lineStart: number, line: string): string | null {
  const inFlow = /^\s*(?:-\s*)?([\w-]+)\s*:\s*\{[^}]*$/.exec(line);
  if (inFlow) return innermost(line) ?? inFlow[1] ?? null;
  if (!/^\s/.test(line)) return null;
  const above = text.slice(0, lineStart).split("\n").reverse();
  const top = above.find((each) => /^[\w-]+\s*:/.test(each));
  return top === undefined ? null : (/^[\w-]+/.exec(top)?.[0] ?? null);
}

/** The key of the innermost open brace of a line. */
function innermost(line: string): string | null {
  const keys: (string | null)[] = [];
  for (const [index, character] of [...line].entries()) {
    if (character === "{") keys.push(/([\w-]+)\s*:\s*$/.exec(line.slice(0, index))?.[1] ?? null);
    if (character === "}") keys.pop();
  }
  return keys.at(-1) ?? null;
}

/** The key whose value is being typed; null where a key is. */
function keyBefore(line: string): string | null {
  const inner = line.slice(Math.max(line.lastIndexOf("{"), -1) + 1);
  const segment = /\[[^\]]*$/.test(inner) ? inner : inner.slice(lastTopComma(inner) + 1);
  const found = /([\w-]+)\s*:\s+\[?[^{}]*$/.exec(segment);
  return found?.[1] ?? null;
}

function lastTopComma(text: string): number {
  let depth = 0;
  for (let index = text.length - 1; index >= 0; index -= 1) {
    if (text[index] === "]") depth += 1;
    if (text[index] === "[") depth -= 1;
    if (text[index] === "," && depth === 0) return index;
  }
  return -1;
}

function fieldNamed(
  groups: readonly GroupSpec[],
  owner: string | null,
  key: string,
): FieldSpec | undefined {
  const group = groups.find((each) => each.name === (owner ?? TASK));
  const name = group?.aliases[key] ?? key;
  const dotted = owner === null ? name : `${owner}.${name}`;
  const fields = groups.flatMap((each) => each.fields);
  return (
    fields.find((field) => field.name === dotted) ??
    fields.find(
      (field) => owner !== null && field.path.at(-1) === name && field.path.includes(owner),
    )
  );
}

function topOptions(groups: readonly GroupSpec[]): Option[] {
  const fields = groups.find((group) => group.name === TASK)?.fields ?? [];
  const own = [...new Set(fields.map((field) => String(field.path[0])))];
  return [
    ...groups
      .filter((group) => group.name !== TASK)
      .map((group) => ({
        label: group.name,
        detail: group.title,
        info: group.description,
        apply: `${group.name}:\n  `,
      })),
    ...own.map((name) => {
      const field = fields.find((each) => each.path[0] === name);
      return { label: name, detail: "", info: field?.description ?? "", apply: `${name}: ` };
    }),
  ];
}

function fieldOptions(groups: readonly GroupSpec[], owner: string): Option[] {
  const fields = groups
    .flatMap((group) => group.fields)
    .filter((field) => field.path.includes(owner));
  const names = new Map<string, FieldSpec>();
  for (const field of fields) {
    const name = String(field.path[field.path.indexOf(owner) + 1] ?? "");
    if (name !== "" && !names.has(name)) names.set(name, field);
  }
  return [...names].map(([name, field]) => ({
    label: name,
    detail: field.unit,
    info: field.description,
    apply: `${name}: `,
  }));
}

function valueOption(value: unknown): Option {
  const text = inline(value as never);
  return { label: text, detail: "", info: "", apply: text };
}
