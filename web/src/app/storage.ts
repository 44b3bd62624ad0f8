/** What the browser keeps: drafts and preferences. Where storage is off, the page keeps it. */

const inMemory = new Map<string, string>();

/** A value that was kept; null where there is none, or it is not JSON any more. */
export function kept<T>(key: string): T | null {
  const text = read(key);
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

/** Keeps a value; whether it outlives the page. */
export function keep(key: string, value: unknown): boolean {
  const text = JSON.stringify(value);
  inMemory.set(key, text);
  try {
    localStorage.setItem(key, text);
    return true;
  } catch {
    // Storage is off, or full.
    return false;
  }
}

export function forget(key: string): void {
  inMemory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // Storage is off: there is nothing to remove.
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key) ?? inMemory.get(key) ?? null;
  } catch {
    return inMemory.get(key) ?? null;
  }
}
