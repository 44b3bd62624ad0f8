import { useState } from "react";
import { AT_ONCE, migrateTasks, readWaiting } from "~/api/migrations";
import { useMigrationsChanged } from "./use-migrations-changed";

/** How far a migration of several tasks has come. */
export interface Migrating {
  done: number;
  of: number;
  /** Tasks that became none of version 2, and why. */
  refused: readonly string[];
  error: unknown;
  isOver: boolean;
}

/**
 * Migrates tasks that wait here: some, or all of them, a few in each request.
 *
 * @param engine of those whose runtime names none; null leaves it open.
 */
export function useMigrating(engine: string | null) {
  const changed = useMigrationsChanged();
  const [state, setState] = useState<Migrating | null>(null);

  const run = async (next: AsyncIterable<number[]>, of: number) => {
    let found: Migrating = { done: 0, of, refused: [], error: null, isOver: false };
    setState(found);
    try {
      for await (const ids of next) {
        const { items, faults } = await migrateTasks(ids, engine);
        const refused = items
          .filter((one) => one.document === null)
          .map((one) => `V1 task ${one.v1_task_id}: ${one.notes[0]?.text ?? "unknown reason"}`);
        const gone = faults.map((one) => one.detail);
        found = {
          ...found,
          done: found.done + ids.length,
          refused: [...found.refused, ...refused, ...gone],
        };
        setState(found);
      }
    } catch (error) {
      found = { ...found, error };
    }
    setState({ ...found, isOver: true });
    changed();
  };
  return {
    state,
    some: (ids: readonly number[]) => run(parts(ids), ids.length),
    all: (total: number) => run(everyone(), total),
    isRunning: state !== null && !state.isOver,
  };
}

async function* parts(ids: readonly number[]): AsyncIterable<number[]> {
  for (let from = 0; from < ids.length; from += AT_ONCE) yield ids.slice(from, from + AT_ONCE);
}

/** All that wait, by number: what becomes no task of version 2 goes on waiting, and is passed. */
async function* everyone(): AsyncIterable<number[]> {
  let after = 0;
  for (;;) {
    const ids = (await readWaiting(after)).items.map((one) => one.v1_task_id);
    const last = ids.at(-1);
    if (last === undefined) return;
    yield* parts(ids);
    after = last;
  }
}
