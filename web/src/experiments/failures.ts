/** Failures of launches: what they are called, what helps, and how often each came. */

import type { Experiment } from "~/api/experiments";

interface FailureText {
  title: string;
  remedy: string;
}

const TEXTS: Readonly<Record<string, FailureText>> = {
  out_of_memory: {
    title: "Out of memory",
    remedy:
      "Lower the running requests, the context length or the share of memory, quantise the KV cache, or spread the model over more GPUs.",
  },
  unknown_flag: {
    title: "Unknown flag",
    remedy:
      "The installed engine does not know a flag. Set the engine's version in the task, or remove the flag from the extra arguments.",
  },
  model_load: {
    title: "The model could not be loaded",
    remedy:
      "Check that the model's path and format are right for this engine, and that its files are whole.",
  },
  port_taken: {
    title: "The port was taken",
    remedy: "End what listens there, then resume the task.",
  },
  bad_setting: {
    title: "A setting was refused",
    remedy: "The engine names the setting in its log. Remove that value from the axes.",
  },
  died_while_loading: {
    title: "The engine died while it loaded",
    remedy: "Its log has the cause in its last lines. Run the command by hand to see it again.",
  },
  died_under_load: {
    title: "The engine died under load",
    remedy:
      "Lower the highest load level or the running requests. Its log has the cause in its last lines.",
  },
  not_ready_in_time: {
    title: "Not ready in time",
    remedy: "Raise benchmark.ready_timeout_s, or check in the log what the engine waits for.",
  },
  load_errors: {
    title: "Requests failed",
    remedy:
      "The engine answered with errors at every level. Its log and the errors of the levels tell which.",
  },
};

export function failureText(kind: string): FailureText {
  const title = kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll("_", " ");
  return TEXTS[kind] ?? { title, remedy: "The log of the launch has the cause in its last lines." };
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
