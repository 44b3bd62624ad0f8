/** The profile that is being written, kept in the browser until it is saved. */

import { useEffect, useRef, useState } from "react";
import { forget, keep, kept } from "~/app/storage";
import { newId, type ProfileDraft } from "./draft";

const KEEP_AFTER_MS = 300;

interface Kept {
  draft: ProfileDraft;
  /** Version that the draft changes, as it was when the form was opened. */
  etag: string | null;
}

interface DraftTools {
  draft: ProfileDraft;
  /** Version that the draft is a change of: a later one is not overwritten unasked. */
  etag: string | null;
  /** Whether the profile is another than the one that a found draft began with. */
  isBehind: boolean;
  change: (given: Partial<ProfileDraft>) => void;
  /** Whether it was found in the browser, from a visit before. */
  isFound: boolean;
  /** Begins anew with what the service had when the form was opened. */
  restart: () => void;
  /** Begins anew with a later version, and its tag. */
  restartWith: (draft: ProfileDraft, etag: string | null) => void;
  /** Forgets what the browser keeps: it is saved. */
  finish: () => void;
}

/**
 * @param key what is kept under: one for each profile that is changed or copied.
 * @param first what the draft begins with where nothing is kept.
 * @param newest version that `first` is of; null of a new profile.
 */
export function useProfileDraft(
  key: string,
  first: ProfileDraft,
  newest: string | null,
): DraftTools {
  const [found] = useState(() => withNewIds(kept<Kept>(key)));
  const [draft, setDraft] = useState(found?.draft ?? first);
  const [etag, setEtag] = useState(found === null ? newest : found.etag);
  const [isFound, setFound] = useState(found !== null);
  const isOver = useRef(false);
  const isEdited = useRef(found !== null);

  useEffect(() => {
    if (!isEdited.current || isOver.current) return;
    const store = () => {
      if (!isOver.current) keep(key, { draft, etag });
    };
    const timer = setTimeout(store, KEEP_AFTER_MS);
    window.addEventListener("pagehide", store);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pagehide", store);
      store();
    };
  }, [draft, etag, key]);

  const restartWith = (given: ProfileDraft, tag: string | null) => {
    isEdited.current = false;
    forget(key);
    setFound(false);
    setDraft(given);
    setEtag(tag);
  };
  return {
    draft,
    etag,
    isBehind: isFound && etag !== newest,
    isFound,
    change(given) {
      isEdited.current = true;
      setDraft((before) => ({ ...before, ...given }));
    },
    restart: () => restartWith(first, newest),
    restartWith,
    finish() {
      isOver.current = true;
      forget(key);
    },
  };
}

/** Numbers of rows are of one page: those of another visit may be taken here. */
function withNewIds(found: Kept | null): Kept | null {
  if (found === null || !Array.isArray(found.draft?.layers)) return null;
  const layers = found.draft.layers.map((layer) => ({
    ...layer,
    id: newId(),
    when: layer.when.map((row) => ({ ...row, id: newId() })),
    set: layer.set.map((row) => ({ ...row, id: newId() })),
  }));
  return { draft: { ...found.draft, layers }, etag: found.etag ?? null };
}
