/**
 * Edits of a task's text.
 *
 * An edit replaces the characters of one value. All else stays as it was written: comments, order,
 * spaces, quotes.
 */

import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { inline, ORDER, READING, read, type TaskText, topLevelLines, write } from "./task-text";
import {
  assigned,
  isObject,
  type Json,
  type JsonObject,
  type Path,
  removed,
  same,
  valueAt,
} from "./values";

/** The text with a value set at a path. */
export function withValue(text: string, path: Path, value: Json): string {
  const before = read(text);
  if (before.document === null || before.content === null) return text;
  if (same(valueAt(before.content, path), value)) return text;
  const wanted = assigned(before.content, path, value);
  return checked(before, setInPlace(before, path, value), wanted);
}

/** The text without what it says at a path; a group that is empty then goes too. */
export function without(text: string, path: Path): string {
  const before = read(text);
  if (before.document === null || before.content === null) return text;
  if (valueAt(before.content, path) === undefined) return text;
  const wanted = removed(before.content, path);
  const parent = path.slice(0, -1);
  const isEmptied = parent.length > 0 && valueAt(wanted, parent) === undefined;
  if (isEmptied) return without(text, parent);
  return checked(before, removeInPlace(before, path), wanted);
}

/** The edited text if it says what it should; else the document written anew, comments kept. */
function checked(before: TaskText, edited: string | null, wanted: JsonObject): string {
  if (edited !== null && same(read(edited).content, wanted)) return edited;
  return rewritten(before, wanted);
}

/** For what no splice can say (aliases of whole groups and the like): nodes set in the document. */
function rewritten(before: TaskText, wanted: JsonObject): string {
  const document = parseDocument(before.text, READING);
  for (const key of new Set([...Object.keys(before.content ?? {}), ...Object.keys(wanted)])) {
    const value = wanted[key];
    if (value === undefined) document.delete(key);
    else if (!same(before.content?.[key], value)) document.set(key, document.createNode(value));
  }
  try {
    const text = document.toString({ flowCollectionPadding: false, lineWidth: 0 });
    if (same(read(text).content, wanted)) return text;
  } catch {
    // An alias whose anchor was in the replaced value has nothing left to name.
  }
  return write(wanted);
}

function setInPlace(before: TaskText, path: Path, value: Json): string | null {
  const { text, document } = before;
  let node: unknown = document?.contents;
  if (node === null || node === undefined) return text + topLevelText(text, nested(path, value));
  for (const [depth, key] of path.entries()) {
    const isLast = depth === path.length - 1;
    if (isMap(node)) {
      const pair = pairOf(node, String(key));
      const rest = nested(path.slice(depth + 1), value);
      if (pair === undefined) return insertPair(text, node, String(key), rest, depth === 0);
      if (isLast || isNullNode(pair.value)) return replaceValue(text, pair, rest);
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(key)];
      const rest = nested(path.slice(depth + 1), value);
      if (item === undefined) return insertItem(text, node, rest);
      if (isLast || isNullNode(item)) return replaceNode(text, item, rest);
      node = item;
    } else {
      return null;
    }
  }
  return null;
}

function removeInPlace(before: TaskText, path: Path): string | null {
  const parent: unknown =
    path.length === 1 ? before.document?.contents : before.document?.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isSeq(parent)) return removeItem(before.text, parent, Number(key));
  if (!isMap(parent)) return null;
  const pair = pairOf(parent, String(key));
  const index = parent.items.indexOf(pair as Pair);
  const start = rangeOf(pair?.key)?.[0];
  const end = pair && contentEnd(pair, before.text);
  if (pair === undefined || start === undefined || end === undefined) return null;
  const { text } = before;
  if (!parent.flow) return withoutLines(text, start, end);
  const next = rangeOf(parent.items[index + 1]?.key)?.[0];
  const previous = parent.items[index - 1];
  return withoutFlowItem(text, [start, end], next, previous && contentEnd(previous, text));
}

function removeItem(text: string, list: YAMLSeq, index: number): string | null {
  const start = rangeOf(list.items[index])?.[0];
  const end = nodeEnd(list.items[index], text);
  if (start === undefined || end === undefined) return null;
  if (!list.flow) return withoutLines(text, text.lastIndexOf("-", start - 1), end);
  const next = rangeOf(list.items[index + 1])?.[0];
  return withoutFlowItem(text, [start, end], next, nodeEnd(list.items[index - 1], text));
}

/** The text without an item between commas. */
function withoutFlowItem(
  text: string,
  [start, end]: [number, number],
  next: number | undefined,
  previousEnd: number | undefined,
): string {
  if (next !== undefined) return text.slice(0, start) + text.slice(next);
  return text.slice(0, previousEnd ?? start) + text.slice(end);
}

/** The text without the lines of an item that has them for itself. */
function withoutLines(text: string, start: number, end: number): string | null {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  if (start < 0 || text.slice(lineStart, start).trim() !== "") return null;
  return text.slice(0, lineStart) + text.slice(Math.min(lineEnd(text, end) + 1, text.length));
}

function insertItem(text: string, list: YAMLSeq, value: Json): string | null {
  const last = list.items.at(-1);
  const end = last === undefined ? (list.range?.[0] ?? 0) + 1 : nodeEnd(last, text);
  if (end === undefined) return null;
  if (list.flow)
    return `${text.slice(0, end)}${last ? ", " : ""}${inline(value)}${text.slice(end)}`;
  const dash = text.lastIndexOf("-", (rangeOf(list.items[0])?.[0] ?? 0) - 1);
  const indent = " ".repeat(Math.max(0, dash - (text.lastIndexOf("\n", dash) + 1)));
  const at = lineEnd(text, end);
  return `${text.slice(0, at)}\n${indent}- ${inline(value)}${text.slice(at) || "\n"}`;
}

function insertPair(
  text: string,
  map: YAMLMap,
  key: string,
  value: Json,
  isTop: boolean,
): string | null {
  const pairText = `${inline(key)}: ${inline(value)}`;
  if (map.flow) {
    const last = map.items.at(-1);
    const at = last ? contentEnd(last, text) : (map.range?.[0] ?? 0) + 1;
    if (at === undefined) return null;
    return `${text.slice(0, at)}${last ? ", " : ""}${pairText}${text.slice(at)}`;
  }
  const before = isTop ? precedingPair(map, key) : map.items.at(-1);
  const start = rangeOf(map.items[0]?.key)?.[0];
  if (start === undefined) return null;
  const indent = " ".repeat(start - (text.lastIndexOf("\n", start - 1) + 1));
  const lines = isTop ? topLevelLines(key, value) : [indent + pairText];
  if (before === undefined)
    return `${text.slice(0, start)}${lines.join("\n")}\n${text.slice(start)}`;
  const end = contentEnd(before, text);
  if (end === undefined) return null;
  const at = lineEnd(text, end);
  return `${text.slice(0, at)}\n${lines.join("\n")}${text.slice(at) || "\n"}`;
}

/** The last pair of those that are written before a new key of the document. */
function precedingPair(map: YAMLMap, key: string): Pair | undefined {
  const rank = (name: string) => {
    const found = ORDER.indexOf(name);
    return found < 0 ? ORDER.length : found;
  };
  const earlier = (map.items as Pair[]).filter((pair) => rank(keyText(pair)) <= rank(key));
  return earlier.at(-1);
}

function replaceValue(text: string, pair: Pair, value: Json): string | null {
  const keyEnd = rangeOf(pair.key)?.[1];
  if (keyEnd === undefined) return null;
  if (isNullNode(pair.value)) {
    const colon = text.indexOf(":", keyEnd);
    if (colon < 0) return null;
    const end = rangeOf(pair.value)?.[1] ?? colon + 1;
    return `${text.slice(0, colon + 1)} ${inline(value)}${text.slice(Math.max(end, colon + 1))}`;
  }
  const range = rangeOf(pair.value);
  if (range === undefined) return null;
  const between = text.slice(keyEnd, range[0]);
  if (between.includes("\n") && /^:\s*$/.test(between)) {
    // A block begins on the line below its key; a value on one line follows the key.
    const end = contentEnd(pair, text);
    return end === undefined
      ? null
      : `${text.slice(0, keyEnd)}: ${inline(value)}${text.slice(end)}`;
  }
  return replaceNode(text, pair.value, value);
}

function replaceNode(text: string, node: unknown, value: Json): string | null {
  const range = rangeOf(node);
  const end = nodeEnd(node, text);
  if (range === undefined || end === undefined) return null;
  return text.slice(0, range[0]) + inline(value) + text.slice(end);
}

/** The value inside as many mappings as the path has keys. */
function nested(path: Path, value: Json): Json {
  return path.reduceRight<Json>((inner, key) => ({ [String(key)]: inner }), value);
}

function topLevelText(text: string, value: Json): string {
  const lead = text === "" || text.endsWith("\n") ? "" : "\n";
  return isObject(value) ? lead + write(value) : "";
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return (map.items as Pair[]).find((pair) => keyText(pair) === key);
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : "";
}

function isNullNode(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

function rangeOf(node: unknown): readonly number[] | undefined {
  if (!isScalar(node) && !isCollection(node) && !isAlias(node)) return undefined;
  return node.range ?? undefined;
}

function contentEnd(pair: Pair, text: string): number | undefined {
  return nodeEnd(pair.value, text) ?? rangeOf(pair.key)?.[1];
}

/** Where the last character of a node's content ends, before spaces and comments behind it. */
function nodeEnd(node: unknown, text: string): number | undefined {
  if (isCollection(node) && !node.flow) {
    const last: unknown = node.items.at(-1);
    return isPair(last) ? contentEnd(last, text) : nodeEnd(last, text);
  }
  let end = rangeOf(node)?.[1];
  // A block scalar ends behind its line's end.
  while (end !== undefined && end > 0 && text[end - 1] === "\n") end -= 1;
  return end;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}
