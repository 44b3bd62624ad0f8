/** Keys that do something on the page that is shown; whoever knows the deed registers them. */

import { useEffect, useRef } from "react";

export interface Shortcut {
  /** As in `KeyboardEvent.key`: "j", "ArrowDown", "?". */
  key: string;
  /** Sentence for the list of shortcuts: "Next task". Without it the key is not listed. */
  does?: string;
  run: (event: KeyboardEvent) => void;
}

type Listed = Omit<Shortcut, "run">;

const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select";
const OTHERS = "[contenteditable=true], [role=dialog], [role=menu], [role=listbox]";
const PRESSABLE = "a, button, summary, [role=tab], [role=button], input";

const groups = new Map<symbol, Map<string, Shortcut>>();

/** Whether keys belong to what has the focus: a field, an editor, a menu, a dialog. */
export function isTaken(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(`${TYPING}, ${OTHERS}`) !== null;
}

/** Does what a key stands for; of several that registered it, the newest. */
export function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTaken(event.target)) return;
  if (event.key === "Enter" && event.target instanceof Element && event.target.matches(PRESSABLE)) {
    return;
  }
  const found = [...groups.values()].reverse().find((group) => group.has(event.key));
  const shortcut = found?.get(event.key);
  if (!shortcut) return;
  event.preventDefault();
  shortcut.run(event);
}

/** What the keys do now, each deed once with its keys. */
export function listedShortcuts(): { does: string; keys: string[] }[] {
  const byDeed = new Map<string, string[]>();
  for (const { key, does } of [...groups.values()].flatMap((group) => [...group.values()])) {
    if (does) byDeed.set(does, [...(byDeed.get(does) ?? []), key]);
  }
  return [...byDeed].map(([does, keys]) => ({ does, keys }));
}

/** Registers keys while the component is shown. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const current = useRef(shortcuts);
  useEffect(() => {
    current.current = shortcuts;
  });
  const listed = JSON.stringify(shortcuts.map(({ key, does }): Listed => ({ key, does })));
  useEffect(() => {
    const id = Symbol();
    const run = (index: number) => (event: KeyboardEvent) => current.current[index]?.run(event);
    const given = JSON.parse(listed) as Listed[];
    groups.set(id, new Map(given.map((one, index) => [one.key, { ...one, run: run(index) }])));
    return () => {
      groups.delete(id);
    };
  }, [listed]);
}
