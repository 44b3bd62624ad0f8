import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState } from "react";
import { type ExplorerSearch, searchOf, type View, viewOf } from "./search-params";

const route = getRouteApi("/tasks/$taskId/explorer");
const WAIT_MS = 150;

type Patch = Partial<View>;
export type ChangeView = (patch: Patch | ((before: View) => Patch)) => void;

/**
 * What the explorer shows. A change is shown at once; the address follows when the reader rests, and
 * does not grow the history.
 */
export function useView(): [View, ChangeView] {
  const search: ExplorerSearch = route.useSearch();
  const navigate = route.useNavigate();
  const [view, setView] = useState(() => viewOf(search));
  const written = useRef(JSON.stringify(search));

  // Another address: a link, or back and forward.
  useEffect(() => {
    const address = JSON.stringify(search);
    if (address === written.current) return;
    written.current = address;
    setView(viewOf(search));
  }, [search]);

  useEffect(() => {
    const next = searchOf(view);
    const address = JSON.stringify(next);
    if (address === written.current) return;
    const timer = setTimeout(() => {
      written.current = address;
      void navigate({ search: next, replace: true, resetScroll: false });
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [view, navigate]);

  const change = useCallback(
    (patch: Patch | ((before: View) => Patch)) =>
      setView((before) => ({
        ...before,
        ...(typeof patch === "function" ? patch(before) : patch),
      })),
    [],
  );
  return [view, change];
}
