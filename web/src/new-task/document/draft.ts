/** The draft of a task: its text, what Quick suggested last, and the way back. Pure. */

import { type Decisions, UNDECIDED } from "../quick/decisions";
import { rebased } from "./rebase";
import { MOST_CHARACTERS, read, type TaskText } from "./task-text";
import { type JsonObject, same } from "./values";

export interface Draft {
  task: TaskText;
  decisions: Decisions;
  /** The suggestion that the text came from; null before the first. */
  suggested: JsonObject | null;
  /** Tag of the version of a task that is edited; null for a new one. */
  etag: string | null;
  /** Whether the document was there before any suggestion: a file, or another task. */
  isOpened: boolean;
  /** Whether the author has done anything to it. */
  isEdited: boolean;
  /** How often the draft became another document: what was planned of the one before is not of it. */
  openings: number;
  past: readonly string[];
  future: readonly string[];
}

/** What outlives a reload. */
export interface KeptDraft {
  text: string;
  decisions: Decisions;
  suggested: JsonObject | null;
  etag: string | null;
  isOpened: boolean;
  isEdited: boolean;
}

export type DraftAction =
  /** The author changed the text; typing is one step back, not one for each character. */
  | { kind: "edit"; text: string; isTyping?: boolean }
  | { kind: "decide"; decisions: Partial<Decisions> }
  | { kind: "suggest"; document: JsonObject }
  | { kind: "replace"; draft: KeptDraft }
  /** The text is compared with another version of the task from now on. */
  | { kind: "retag"; etag: string | null }
  | { kind: "undo" }
  | { kind: "redo" };

const MOST_STEPS = 200;
const FEW_STEPS = 5;

export function newDraft(kept: KeptDraft): Draft {
  return {
    ...kept,
    task: read(kept.text),
    decisions: { ...UNDECIDED, ...kept.decisions },
    openings: 0,
    past: [],
    future: [],
  };
}

export function toKeep({ task, ...draft }: Draft): KeptDraft {
  return { text: task.text, ...withoutText(draft) };
}

export function changed(draft: Draft, action: DraftAction): Draft {
  switch (action.kind) {
    case "edit":
      return withText(draft, action.text, action.isTyping ?? false);
    case "decide":
      return { ...draft, isEdited: true, decisions: { ...draft.decisions, ...action.decisions } };
    case "suggest":
      return withSuggestion(draft, action.document);
    case "replace":
      return {
        ...withText(draft, action.draft.text, false),
        ...withoutText(action.draft),
        openings: draft.openings + 1,
      };
    case "retag":
      return { ...draft, etag: action.etag };
    case "undo":
      return stepped(draft, "past", "future");
    case "redo":
      return stepped(draft, "future", "past");
  }
}

function withText(draft: Draft, text: string, isTyping: boolean): Draft {
  if (text === draft.task.text) return draft;
  const isSameStep = isTyping && draft.future.length === 0 && draft.past.length > 0;
  const past =
    isSameStep && isOneStroke(draft.task.text, text)
      ? draft.past
      : [...draft.past, draft.task.text];
  const steps = text.length > MOST_CHARACTERS ? FEW_STEPS : MOST_STEPS;
  return { ...draft, isEdited: true, task: read(text), past: past.slice(-steps), future: [] };
}

function withoutText(draft: Omit<KeptDraft, "text">): Omit<KeptDraft, "text"> {
  const { decisions, suggested, etag, isOpened, isEdited } = draft;
  return { decisions, suggested, etag, isOpened, isEdited };
}

/** Whether two texts differ by what one keystroke may change: a few characters of one line. */
function isOneStroke(before: string, after: string): boolean {
  const difference = Math.abs(before.length - after.length);
  return difference <= 2 && before.split("\n").length === after.split("\n").length;
}

/**
 * A document that was there before any suggestion (a file, another task) is not touched by the
 * first one: that is only what later ones are compared with.
 */
function withSuggestion(draft: Draft, document: JsonObject): Draft {
  if (same(draft.suggested, document)) return draft;
  const isWritten = draft.task.text.trim() !== "";
  // A text that cannot be read now takes the next suggestion with all that has changed until then.
  if (isWritten && draft.task.content === null) return draft;
  if (isWritten && draft.suggested === null && draft.isOpened) {
    return { ...draft, suggested: document };
  }
  // What was typed before the first suggestion is a change of it.
  const before = draft.suggested ?? {};
  const text = rebased(draft.task.text, before, document, draft.isOpened);
  return { ...draft, task: read(text), suggested: document };
}

function stepped(draft: Draft, from: "past" | "future", to: "past" | "future"): Draft {
  const text = draft[from].at(-1);
  if (text === undefined) return draft;
  return {
    ...draft,
    task: read(text),
    [from]: draft[from].slice(0, -1),
    [to]: [...draft[to], draft.task.text],
  };
}
