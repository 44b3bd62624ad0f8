import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

/**
 * Moves the focus to an element when what held it inside a container is removed: the next Tab goes on
 * from there, not from the top of the page.
 *
 * @param container to be rendered by the component that removes.
 * @param target has to take the focus.
 */
export function useKeptFocus(
  container: RefObject<HTMLElement | null>,
  target: RefObject<HTMLElement | null>,
): void {
  const held = useRef<Element | null>(null);
  useEffect(() => {
    const note = ({ target: focused }: FocusEvent) => {
      const isInside = focused instanceof Element && container.current?.contains(focused);
      held.current = isInside ? focused : null;
    };
    document.addEventListener("focusin", note);
    return () => document.removeEventListener("focusin", note);
  }, [container]);
  useLayoutEffect(() => {
    if (held.current === null || held.current.isConnected) return;
    held.current = null;
    if (document.activeElement === document.body) target.current?.focus({ preventScroll: true });
  });
}
