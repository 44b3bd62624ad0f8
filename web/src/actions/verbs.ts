/** What can be done to a task, in the order in which it is offered. */

import {
  IconCopy,
  IconEdit,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTextCaption,
  IconTrash,
} from "@tabler/icons-react";
import type { Action, TaskItem } from "~/api/tasks";

export type Verb = Action | "rename" | "clone" | "edit" | "delete";

interface VerbLook {
  label: string;
  /** As in "3 tasks paused". */
  past: string;
  Icon: typeof IconCopy;
  isDangerous: boolean;
  /** Whether many tasks at once can be asked for it. */
  isForMany: boolean;
}

const look = (label: string, past: string, Icon: typeof IconCopy): VerbLook => ({
  label,
  past,
  Icon,
  isDangerous: false,
  isForMany: true,
});

export const VERBS: Record<Verb, VerbLook> = {
  start: look("Start", "started", IconPlayerPlay),
  pause: look("Pause", "paused", IconPlayerPause),
  resume: look("Resume", "resumed", IconPlayerPlay),
  cancel: look("Cancel", "cancelled", IconPlayerStop),
  restart: look("Restart", "restarted", IconRefresh),
  edit: { ...look("Edit", "edited", IconEdit), isForMany: false },
  rename: { ...look("Rename", "renamed", IconTextCaption), isForMany: false },
  clone: { ...look("Clone", "cloned", IconCopy), isForMany: false },
  delete: { ...look("Delete", "deleted", IconTrash), isDangerous: true },
};

export const VERB_NAMES = Object.keys(VERBS) as Verb[];

/** What a task must be known by for its actions to be told. */
export type ActionTarget = Pick<
  TaskItem,
  "id" | "name" | "status" | "requested_action" | "allowed_actions" | "experiments"
>;

export function isAction(verb: Verb): verb is Action {
  return !["rename", "clone", "edit", "delete"].includes(verb);
}

/** Whether a task can be asked for it as it stands. */
export function isPossible(verb: Verb, task: ActionTarget): boolean {
  if (verb === "delete") return task.status !== "running";
  if (verb === "edit") return task.status === "pending";
  if (verb === "rename" || verb === "clone") return true;
  return task.allowed_actions.includes(verb) && task.requested_action !== verb;
}

export function possibleVerbs(task: ActionTarget): Verb[] {
  return VERB_NAMES.filter((verb) => isPossible(verb, task));
}

/** The one thing that a task most likely waits for; null where it waits for nothing. */
export function mainVerb(task: ActionTarget): Verb | null {
  const likely: Verb[] = task.status === "cancelled" ? [] : ["start", "resume", "pause"];
  return likely.find((verb) => isPossible(verb, task)) ?? null;
}

/** Whether it takes away what cannot be had again without measuring anew. */
export function losesMeasurements(verb: Verb, tasks: readonly ActionTarget[]): boolean {
  return verb === "restart" && tasks.some((task) => task.experiments.total > 0);
}
