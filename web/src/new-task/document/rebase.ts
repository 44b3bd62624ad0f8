/** A new suggestion brought into a document that its author may have changed since the last one. */

import { without, withValue } from "./edits";
import { read, write } from "./task-text";
import { isObject, type Json, type JsonObject, type Path, same, valueAt } from "./values";

/**
 * The text after a suggestion: what the author changed stays, all else follows the suggestion.
 *
 * @param previous the suggestion that the text came from; null where there was none.
 * @param isOpened whether the document was there before any suggestion: what it leaves out is then
 *   open, and was not removed by its author.
 */
export function rebased(
  text: string,
  previous: JsonObject | null,
  next: JsonObject,
  isOpened = false,
): string {
  if (text.trim() === "" || previous === null) return write(next);
  let result = text;
  for (const path of leaves(previous, next)) {
    const before = valueAt(previous, path);
    const after = valueAt(next, path);
    if (same(before, after)) continue;
    const now = valueAt(read(result).content ?? {}, path);
    const isFree = same(now, before) || (isOpened && now === undefined);
    if (!isFree) continue;
    result = after === undefined ? without(result, path) : withValue(result, path, after);
  }
  return result;
}

/** Paths at which the author's document differs from the suggestion. */
export function ownPaths(
  content: JsonObject,
  suggested: JsonObject | null,
  isOpened = false,
): Path[] {
  if (suggested === null) return leaves(content);
  return leaves(suggested, content).filter(
    (path) =>
      !same(valueAt(suggested, path), valueAt(content, path)) &&
      !(isOpened && valueAt(content, path) === undefined),
  );
}

/** Paths of all values that are no mappings, of several documents, each once. */
export function leaves(...documents: JsonObject[]): Path[] {
  const found = new Map<string, Path>();
  const visit = (value: Json | undefined, path: Path) => {
    if (isObject(value) && Object.keys(value).length > 0) {
      for (const key of Object.keys(value)) visit(value[key], [...path, key]);
    } else if (path.length > 0) {
      found.set(JSON.stringify(path), path);
    }
  };
  for (const document of documents) visit(document, []);
  return [...found.values()];
}
