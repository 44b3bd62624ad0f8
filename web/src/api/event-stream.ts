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

export type StreamState = "connecting" | "open" | "lost" | "ended";

interface Subscription {
  path: string;
  /** Number behind which to begin; null: what happens from now on. */
  after: number | null;
  onEvent: (event: TaskEvent) => void;
  onState: (state: StreamState) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * Follows a stream until the returned function is called.
 *
 * A browser reopens a stream that was cut, but gives up where the service answers with an error, as
 * it does while it restarts. This opens it again, with growing pauses, and misses nothing.
 */
export function follow({ path, after, onEvent, onState }: Subscription): () => void {
  let last = after;
  let waitMs = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | null = null;
  let stopped = false;

  function open(): void {
    const query = new URLSearchParams({ form: "message" });
    if (last !== null) query.set("after", String(last));
    onState("connecting");
    source = new EventSource(`${path}?${query}`);
    source.onopen = () => {
      waitMs = FIRST_WAIT_MS;
      onState("open");
    };
    source.onmessage = (message) => receive(message);
    source.onerror = () => {
      onState("lost");
      if (source?.readyState === EventSource.CLOSED) reopen();
    };
  }

  function receive(message: MessageEvent<string>): void {
    const event = JSON.parse(message.data) as TaskEvent & { reason?: string };
    if (typeof event.id !== "number") {
      // The last message of a stream has no number, only the reason why it ends.
      if (event.reason?.includes("deleted")) {
        stop();
        onState("ended");
      } else {
        onState("lost");
        reopen();
      }
      return;
    }
    if (last !== null && event.id <= last) return;
    last = event.id;
    onEvent(event);
  }

  function reopen(): void {
    source?.close();
    if (stopped) return;
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
