/** Cached answers that are out of date, read anew in turns: a burst of events is one reason. */

import type { QueryClient, QueryKey } from "@tanstack/react-query";

export const TURN_MS = 400;

/**
 * Collects what is out of date until the next turn.
 *
 * An answer that is under way may be of before; it is let come, and the next turn asks again. So
 * there is never more than one request for the same, and none is given up for ever.
 */
export class Freshness {
  private readonly old = new Map<string, QueryKey>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly queries: QueryClient) {}

  /** Has what begins with this key read anew, if anybody looks at it. */
  renew(queryKey: QueryKey): void {
    this.old.set(JSON.stringify(queryKey), queryKey);
    this.timer ??= setTimeout(this.turn, TURN_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.old.clear();
  }

  private readonly turn = (): void => {
    this.timer = undefined;
    for (const [name, queryKey] of [...this.old]) {
      if (this.queries.isFetching({ queryKey }) > 0) continue;
      this.old.delete(name);
      void this.queries.invalidateQueries({ queryKey });
    }
    if (this.old.size > 0) this.timer = setTimeout(this.turn, TURN_MS);
  };
}
