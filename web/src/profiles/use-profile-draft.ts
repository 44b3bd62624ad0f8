/** The profile that is being written, kept in the browser until it is saved. */

import { useEffect, useRef, useState } from "react";
import { forget, keep, kept } from "~/app/storage";
import { newId, type ProfileDraft } from "./draft";

const KEEP_AFTER_MS = 300;

interface DraftTools {
  draft: ProfileDraft;
  change: (given: Partial<ProfileDraft>) => void;
  /** Whether it was found in the browser, from a visit before. */
  isFound: boolean;
  /** Begins anew with what the service has. */
  restart: () => void;
  /** Forgets what the browser keeps: it is saved. */
  finish: () => void;
}

/**
 * @param key what is kept under: one for each profile that is changed or copied.
 * @param first what the draft begins with where nothing is kept.
 */
export function useProfileDraft(key: string, first: ProfileDraft): DraftTools {
  const [found] = useState(() => withNewIds(kept<ProfileDraft>(key)));
  const [draft, setDraft] = useState(found ?? first);
  const [isFound, setFound] = useState(found !== null);
  const isOver = useRef(false);
  const isEdited = useRef(found !== null);

  useEffect(() => {
    if (!isEdited.current || isOver.current) return;
    const store = () => {
      if (!isOver.current) keep(key, draft);
    };
    const timer = setTimeout(store, KEEP_AFTER_MS);
    window.addEventListener("pagehide", store);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pagehide", store);
      store();
    };
  }, [draft, key]);

  return {
    draft,
    isFound,
    change(given) {
      isEdited.current = true;
      setDraft((before) => ({ ...before, ...given }));
    },
    restart() {
      isEdited.current = false;
      forget(key);
      setFound(false);
      setDraft(first);
    },
    finish() {
      isOver.current = true;
      forget(key);
    },
  };
}

/** Numbers of rows are of one page: those of another visit may be taken here. */
function withNewIds(draft: ProfileDraft | null): ProfileDraft | null {
  if (draft === null || !Array.isArray(draft.layers)) return null;
  return {
    ...draft,
    layers: draft.layers.map((layer) => ({
      ...layer,
      id: newId(),
      when: layer.when.map((row) => ({ ...row, id: newId() })),
      set: layer.set.map((row) => ({ ...row, id: newId() })),
    })),
  };
}
