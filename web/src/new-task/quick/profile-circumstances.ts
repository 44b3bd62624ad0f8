/** The part of a document that decides what profiles set. */

import type { JsonObject } from "../document/values";

const DECIDING = ["version", "name", "model", "system", "runtime", "gpus"] as const;

export function circumstancesOf(content: JsonObject | null): JsonObject | null {
  if (content === null || content.model === undefined) return null;
  return Object.fromEntries(
    DECIDING.flatMap((key) => (content[key] === undefined ? [] : [[key, content[key]]])),
  );
}
