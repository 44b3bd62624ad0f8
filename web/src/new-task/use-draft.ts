/** The draft of a page, kept in the browser until it becomes a task. */

import { useCallback, useEffect, useMemo, useReducer, useRef } from "react";
import { forget, keep } from "~/app/storage";
import {
  changed,
  type Draft,
  type DraftAction,
  type KeptDraft,
  newDraft,
  toKeep,
} from "./document/draft";
import { without, withValue } from "./document/edits";
import type { Json, Path } from "./document/values";

const KEEP_AFTER_MS = 300;
/** Beyond this a draft stays in the page alone: browsers keep a few megabytes in all. */
const MOST_KEPT_CHARACTERS = 1_000_000;

export interface DraftTools {
  draft: Draft;
  act: (action: DraftAction) => void;
  setValue: (path: Path, value: Json) => void;
  removeValue: (path: Path) => void;
  /** Forgets what the browser keeps: the draft has become a task. */
  finish: () => void;
}

export function useDraft(key: string, first: KeptDraft): DraftTools {
  const [draft, act] = useReducer(changed, first, newDraft);
  const isFinished = useRef(false);
  const latest = useRef(draft);
  latest.current = draft;

  const store = useCallback(() => {
    if (isFinished.current) return;
    const now = latest.current;
    if (!now.isEdited || now.task.text.length > MOST_KEPT_CHARACTERS) return;
    keep(key, toKeep(now));
  }, [key]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the draft is kept.
  useEffect(() => {
    const timer = setTimeout(store, KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [draft, store]);

  useEffect(() => {
    window.addEventListener("pagehide", store);
    return () => {
      window.removeEventListener("pagehide", store);
      store();
    };
  }, [store]);

  return useMemo(
    () => ({
      draft,
      act,
      setValue(path, value) {
        act({ kind: "edit", text: withValue(latest.current.task.text, path, value) });
      },
      removeValue(path) {
        act({ kind: "edit", text: without(latest.current.task.text, path) });
      },
      finish() {
        isFinished.current = true;
        forget(key);
      },
    }),
    [draft, key],
  );
}
