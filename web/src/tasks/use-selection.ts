import { useCallback, useEffect, useRef, useState } from "react";
import type { TaskItem } from "~/api/tasks";
import { allOf, extended, NOTHING, toggled } from "./selection";

/** Selected rows of a list; `toggle` stays the same function while rows come and go. */
export function useSelection(rows: readonly TaskItem[]) {
  const [selection, setSelection] = useState(NOTHING);
  const shown = useRef(rows);
  useEffect(() => {
    shown.current = rows;
  });
  const toggle = useCallback((id: number, isRange = false) => {
    setSelection((before) =>
      isRange
        ? extended(
            before,
            id,
            shown.current.map((row) => row.id),
          )
        : toggled(before, id),
    );
  }, []);
  const clear = useCallback(() => setSelection(NOTHING), []);
  const selectAll = useCallback((ids: readonly number[]) => setSelection(allOf(ids)), []);
  return { ids: selection.ids, toggle, clear, selectAll };
}
