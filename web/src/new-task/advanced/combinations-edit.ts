/** Edits of a task's combinations. Pure: text to text. */

import { without, withValue } from "../document/edits";
import type { FieldSpec, GroupSpec } from "../document/task-schema";
import { writtenPath } from "../document/task-schema";
import { isObject, type Json, type JsonObject, type Path, valueAt } from "../document/values";

export const COMBINATIONS = "combinations";

export function rowsOf(content: JsonObject): JsonObject[] {
  const given = valueAt(content, [COMBINATIONS]);
  return Array.isArray(given) ? given.filter(isObject) : [];
}

/**
 * The text with a field as a column of the combinations.
 *
 * A field stands either in the task or in its combinations: values that the task has become rows
 * where there are none yet, else the first of them stands in every row.
 */
export function withColumn(
  text: string,
  content: JsonObject,
  field: FieldSpec,
  group: GroupSpec | undefined,
): string {
  const own = group ? writtenPath(content, field, group) : field.path;
  const given = valueAt(content, own);
  if (given === undefined) return text;
  const values = Array.isArray(given) ? given : [given];
  const cleared = without(text, own);
  const rows = rowsOf(content);
  if (rows.length === 0) {
    return withValue(
      cleared,
      [COMBINATIONS],
      values.map((value) => nested(field.path, value)),
    );
  }
  return rows.reduce(
    (edited, _, index) =>
      withValue(edited, [COMBINATIONS, index, ...field.path], values[0] ?? null),
    cleared,
  );
}

function nested(path: Path, value: Json): Json {
  return path.reduceRight<Json>((inner, key) => ({ [String(key)]: inner }), value);
}
