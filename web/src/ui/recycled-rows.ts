/** Rows that scroll out of sight become those that scroll in: to change elements is quicker than to make them. */

import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * Keys of the rows of a virtual list, by their place in it.
 *
 * @param shown how many rows are there now.
 */
export function useRecycledKeys(shown: number): (place: number) => number {
  const most = useRef(1);
  most.current = Math.max(most.current, shown);
  const count = most.current;
  return (place) => place % count;
}

/** Takes the focus from a row that shows something else now: keys would act on what nobody chose. */
export function useFocusOfRow(row: RefObject<HTMLElement | null>, id: number): void {
  const shown = useRef(id);
  useLayoutEffect(() => {
    if (shown.current === id) return;
    shown.current = id;
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && row.current?.contains(focused)) focused.blur();
  }, [row, id]);
}
