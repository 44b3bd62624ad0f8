/** Server-sent events of the service, resumed behind the last one that was received. */

export interface TaskEvent {
  id: number;
  task_id: number;
  at: string;
  kind: string;
  payload: Record<string, unknown>;
  /** The task as it stood when this was sent. */
  task?: Record<string, unknown> | null;
}

/** `paused`: nobody is signed in. */
export type StreamState = "connecting" | "open" | "lost" | "paused";

interface Subscription {
  path: string;
  /** Number behind which to begin; null: what happens from now on. */
  after: number | null;
  onEvent: (event: TaskEvent) => void;
  onState: (state: StreamState) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** After so long a stream counts as one that works. */
const STABLE_MS = 5_000;

/**
 * Follows a stream until the returned function is called.
 *
 * A browser reopens a stream that was cut, but gives up where the service answers with an error, as
 * it does while it restarts. This opens it again, with growing pauses, and misses nothing.
 */
export function follow({ path, after, onEvent, onState }: Subscription): () => void {
  let last = after;
  let waitMs = FIRST_WAIT_MS;
  let openedAtMs = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | null = null;
  let stopped = false;

  function open(): void {
    const query = new URLSearchParams({ form: "message" });
    if (last !== null) query.set("after", String(last));
    onState("connecting");
    source = new EventSource(`${path}?${query}`);
    source.onopen = () => {
      openedAtMs = performance.now();
      onState("open");
    };
    source.onmessage = (message) => receive(message);
    source.onerror = () => {
      onState("lost");
      if (source?.readyState === EventSource.CLOSED) reopen();
    };
  }

  function receive(message: MessageEvent<string>): void {
    const event = JSON.parse(message.data) as TaskEvent;
    if (typeof event.id !== "number") {
      // The last message of a stream has no number, only the reason why it ends.
      onState("lost");
      reopen();
      return;
    }
    if (last !== null && event.id <= last) return;
    last = event.id;
    onEvent(event);
  }

  function reopen(): void {
    source?.close();
    if (stopped) return;
    // One that is cut as soon as it is open is not asked for twice a second.
    if (openedAtMs > 0 && performance.now() - openedAtMs > STABLE_MS) waitMs = FIRST_WAIT_MS;
    openedAtMs = 0;
    timer = setTimeout(open, waitMs);
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
  }

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    source?.close();
  }

  open();
  return stop;
}
