/** What the form begins with: a kept draft, another task, or nothing. Pure. */

import { type Goal, type ModelSummary, modelAtHand } from "~/api/catalog";
import type { Task } from "~/api/tasks";
import type { KeptDraft } from "./document/draft";
import { write } from "./document/task-text";
import type { JsonObject } from "./document/values";
import { type Decisions, decisionsOf, UNDECIDED } from "./quick/decisions";
import { limitsOfWanted, type WantedTask } from "./search-params";

export interface Opened {
  first: KeptDraft;
  /** Task that is changed; null for a new one. */
  editedId: number | null;
  title: string;
  /** Whether the draft was there before the page was opened. */
  isKept: boolean;
  /** Something that the reader should know before the first edit. */
  notice: string | null;
  /** What "start over" begins with. */
  fresh: KeptDraft;
}

interface Circumstances {
  source: { task: Task; etag: string | null } | null;
  /** Task that the kept draft was of, and that is gone; null where there is none. */
  lostId: number | null;
  isEdit: boolean;
  kept: KeptDraft | null;
  goals: readonly Goal[];
  models: readonly ModelSummary[];
  /** What the address wants of a new task; empty where it says nothing. */
  wanted: WantedTask;
}

const LONGEST_NAME = 200;
const COPY = " (copy)";

export function openedWith(given: Circumstances): Opened {
  const { source, lostId, isEdit, kept, goals, models, wanted } = given;
  if (source === null) {
    const decisions = decisionsOfWanted(wanted, goals, models);
    const fresh = {
      text: "",
      decisions,
      suggested: null,
      etag: null,
      isOpened: false,
      isEdited: false,
    };
    return {
      first: kept ?? fresh,
      fresh,
      editedId: null,
      title: "New task",
      isKept: kept?.isEdited === true,
      notice:
        lostId === null
          ? null
          : `Task ${lostId} has been deleted. This makes a new task out of what you typed.`,
    };
  }
  const { task, etag } = source;
  const canEdit = isEdit && task.status === "pending";
  const content = task.config as unknown as JsonObject;
  const named = canEdit ? content : { ...content, name: copied(task.name) };
  const fresh: KeptDraft = {
    text: write(named),
    decisions: decisionsOf(named, goals),
    suggested: null,
    etag: canEdit ? etag : null,
    isOpened: true,
    isEdited: false,
  };
  return {
    first: kept ?? fresh,
    fresh,
    editedId: canEdit ? task.id : null,
    title: canEdit ? `Edit task ${task.id}` : `Copy of task ${task.id}`,
    isKept: kept?.isEdited === true,
    notice:
      isEdit && !canEdit
        ? `Task ${task.id} has been started, so its document stays as it is. This makes a new task out of it.`
        : null,
  };
}

function decisionsOfWanted(
  wanted: WantedTask,
  goals: readonly Goal[],
  models: readonly ModelSummary[],
): Decisions {
  const { model, gpu, gpus, engine, isl, osl } = wanted;
  const slo = limitsOfWanted(wanted);
  const isLimited = Object.keys(slo).length > 0;
  return {
    ...UNDECIDED,
    model: model ?? modelAtHand(models)?.id ?? "",
    gpu: gpu ?? null,
    gpus: gpus ?? null,
    backend: engine ?? null,
    workload: isl && osl ? { isl, osl } : null,
    goal: isLimited ? (goals.find((goal) => goal.needs_slo)?.name ?? null) : null,
    slo,
  };
}

function copied(name: string): string {
  return name.slice(0, LONGEST_NAME - COPY.length) + COPY;
}
