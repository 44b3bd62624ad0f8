/** Failures of launches: what they are called, and how often each came. */

import type { Experiment } from "~/api/experiments";
import { asSentence } from "~/ui/sentence";

/** `out_of_memory` -> "Out of memory". */
export function failureName(kind: string): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll("_", " ");
}

/** What follows a failure's name in a sentence; a message that begins with the name goes on from it. */
export function failureRest(kind: string, message: string): string {
  const name = failureName(kind);
  const said = asSentence(message);
  return said.startsWith(name) ? said.slice(name.length) : `. ${said}`;
}

export interface FailureGroup {
  kind: string;
  /** Of the launches, in order. */
  indexes: number[];
  /** Of the first of them. */
  message: string;
}

/** Failed launches by kind, the most frequent kind first. */
export function failureGroups(experiments: readonly Experiment[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const { failure_kind: kind, failure_message: message, index } of experiments) {
    if (kind === null) continue;
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, { kind, indexes: [index], message: message ?? "" });
    else group.indexes.push(index);
  }
  return [...groups.values()].sort((a, b) => b.indexes.length - a.indexes.length);
}
