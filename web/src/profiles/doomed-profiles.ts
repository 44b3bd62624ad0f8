/**
 * Broken profiles that are as good as deleted. The service takes no broken profile back, so that
 * their deletion waits as long as it can be undone, and is sent when the page is left.
 */

import { useSyncExternalStore } from "react";
import { PATIENCE_MS } from "~/actions/deferred-deletions";

const waiting = new Set<string>();
const listeners = new Set<() => void>();
let names: ReadonlySet<string> = new Set();

/** Names of the profiles that no list shows. */
export function useDoomedProfiles(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => names);
}

/**
 * Hides a profile, and deletes it a while later.
 *
 * @param send asks the service; the profile is hidden until that has ended.
 * @returns takes it back, where it was not sent yet.
 */
export function deleteLater(name: string, send: () => Promise<void>): () => void {
  const end = () => {
    clearTimeout(timer);
    removeEventListener("pagehide", finish);
    return waiting.delete(name);
  };
  const finish = () => {
    if (end()) void send().finally(() => show([...names].filter((each) => each !== name)));
  };
  const timer = setTimeout(finish, PATIENCE_MS);
  addEventListener("pagehide", finish);
  waiting.add(name);
  show([...names, name]);
  return () => {
    if (end()) show([...names].filter((each) => each !== name));
  };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function show(hidden: Iterable<string>): void {
  names = new Set(hidden);
  for (const listener of listeners) listener();
}
