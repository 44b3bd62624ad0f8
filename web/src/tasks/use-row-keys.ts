import { useEffect, useState } from "react";
import { useShortcuts } from "~/app/shortcuts";

interface RowKeys {
  rows: readonly { id: number }[];
  /** Brings a row into sight. */
  show: (index: number) => void;
  /** The element of a row that is in sight. */
  find: (id: number) => HTMLElement | null;
  open: (id: number) => void;
  /** Selects a row, or no longer; null where nothing can be selected. */
  toggle: ((id: number, isRange?: boolean) => void) | null;
}

/** Goes through rows by keys; the id of the row that they are at. */
export function useRowKeys({ rows, show, find, open, toggle }: RowKeys): number | null {
  const [activeId, setActiveId] = useState<number | null>(null);
  const at = () => rows.findIndex((row) => row.id === activeId);
  const goTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
    if (!row) return;
    setActiveId(row.id);
    show(rows.indexOf(row));
  };
  const whenActive = (run: (id: number) => void) => () => {
    if (activeId !== null && at() >= 0) run(activeId);
  };
  const next = { does: "Next task", run: () => goTo(at() + 1) };
  const previous = { does: "Previous task", run: () => goTo(at() < 0 ? 0 : at() - 1) };
  const select = { does: "Select the task", run: whenActive((id) => toggle?.(id)) };
  useShortcuts([
    { key: "j", ...next },
    { key: "ArrowDown", ...next },
    { key: "k", ...previous },
    { key: "ArrowUp", ...previous },
    { key: "Home", does: "First task", run: () => goTo(0) },
    { key: "End", does: "Last task that was read", run: () => goTo(rows.length - 1) },
    { key: "Enter", does: "Open the task", run: whenActive(open) },
    ...(toggle ? [{ key: "x", ...select }] : []),
  ]);

  // A row that was far away is there only once the list has scrolled to it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus moves with the keys alone.
  useEffect(() => {
    if (activeId === null) return;
    const frame = requestAnimationFrame(() => find(activeId)?.focus({ preventScroll: true }));
    return () => cancelAnimationFrame(frame);
  }, [activeId]);
  return activeId;
}
