/** Deletions that wait some seconds before they are sent, so that they can be undone. */

import { FEW_AT_ONCE, forEach, type Outcome } from "./outcome";
import type { ActionTarget } from "./verbs";

export const PATIENCE_MS = 8_000;

type Doomed = Pick<ActionTarget, "id" | "name">;

interface Effects {
  /** Asks the service to delete it; a task that is gone already counts as deleted. */
  send: (task: Doomed) => Promise<void>;
  /** Called with the tasks that are deleted, before they stop being hidden. */
  onDeleted: (ids: ReadonlySet<number>) => void;
  /** Called once a batch was sent whole. */
  onSent: (batch: Batch, outcome: Outcome) => void;
}

export interface Batch {
  id: number;
  tasks: readonly Doomed[];
}

export class DeferredDeletions {
  private readonly listeners = new Set<() => void>();
  private readonly timers = new Map<Batch, ReturnType<typeof setTimeout>>();
  private hidden: ReadonlySet<number> = new Set();
  private count = 0;

  constructor(
    private readonly effects: Effects,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** Numbers of tasks that are shown no longer: their deletion waits, or is on its way. */
  readonly hiddenIds = (): ReadonlySet<number> => this.hidden;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  /** Hides tasks, and deletes them a while later. */
  schedule(tasks: readonly Doomed[]): Batch {
    this.count += 1;
    const batch = { id: this.count, tasks };
    this.timers.set(
      batch,
      setTimeout(() => void this.send(batch), this.patienceMs),
    );
    this.show([...this.hidden, ...tasks.map(({ id }) => id)]);
    return batch;
  }

  /** Takes a deletion back; whether it had not been sent yet. */
  undo(batch: Batch): boolean {
    if (!this.take(batch)) return false;
    this.reveal(batch);
    return true;
  }

  /** Takes back the newest deletion that waits. */
  undoNewest(): Batch | null {
    const newest = [...this.timers.keys()].at(-1);
    return newest && this.undo(newest) ? newest : null;
  }

  /** Sends all that waits, at once: the page is left, and nothing of it runs any more. */
  async flush(): Promise<void> {
    const waiting = [...this.timers.keys()];
    await Promise.all(waiting.map((batch) => this.send(batch, batch.tasks.length)));
  }

  private async send(batch: Batch, atOnce = FEW_AT_ONCE): Promise<void> {
    if (!this.take(batch)) return;
    const outcome = await forEach(batch.tasks, this.effects.send, { atOnce });
    const refused = new Set(outcome.refusals.map(({ task }) => task.id));
    const gone = batch.tasks.map(({ id }) => id).filter((id) => !refused.has(id));
    this.effects.onDeleted(new Set(gone));
    this.reveal(batch);
    this.effects.onSent(batch, outcome);
  }

  /** Ends a batch's wait; false where it has ended before. */
  private take(batch: Batch): boolean {
    clearTimeout(this.timers.get(batch));
    return this.timers.delete(batch);
  }

  private reveal(batch: Batch): void {
    const shown = new Set(batch.tasks.map(({ id }) => id));
    this.show([...this.hidden].filter((id) => !shown.has(id)));
  }

  private show(hidden: Iterable<number>): void {
    this.hidden = new Set(hidden);
    for (const listener of this.listeners) listener();
  }
}
