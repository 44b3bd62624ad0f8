/** A service for tests: what it answers, and the events that it sends. */

const API = "/api/v2";
let answers: Readonly<Record<string, unknown>> = {};

/** Answers from now on; `tasks/1` -> a document, a text, or a function that makes the response. */
export function serve(given: Readonly<Record<string, unknown>>): void {
  answers = {
    session: { required: false, authenticated: true, name: null, scope: "admin", csrf_token: null },
    ...given,
  };
}

export function problem(
  status: number,
  title: string,
  detail: string,
  more: Record<string, unknown> = {},
): () => Response {
  return () => new Response(JSON.stringify({ title, detail, status, ...more }), { status });
}

// The client keeps the function that it finds when it is imported: this has to be imported first.
globalThis.fetch = async (input) => {
  const url = new URL(input instanceof Request ? input.url : String(input), location.origin);
  const answer = answers[url.pathname.replace(`${API}/`, "").replace(/\/$/, "")];
  if (answer === undefined) return problem(404, "Not found", url.pathname)();
  if (typeof answer === "function") return answer(url);
  const isText = typeof answer === "string";
  return new Response(isText ? answer : JSON.stringify(answer), {
    headers: { "Content-Type": isText ? "text/plain" : "application/json" },
  });
};

type Listener = (event: MessageEvent<string>) => void;

class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2;
  static readonly open: FakeEventSource[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: Listener | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    FakeEventSource.open.push(this);
    queueMicrotask(() => this.onopen?.());
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
    FakeEventSource.open.splice(FakeEventSource.open.indexOf(this), 1);
  }
}
globalThis.EventSource = FakeEventSource as unknown as typeof EventSource;

window.scrollTo = () => {};

/** Sends an event of a task to all who follow the events. */
export function sendEvent(event: Record<string, unknown>): void {
  const message = new MessageEvent("message", { data: JSON.stringify(event) });
  for (const source of FakeEventSource.open) {
    if (source.url.includes("/events")) source.onmessage?.(message);
  }
}

/** Sends lines of a log to all who follow one. */
export function sendLines(lines: readonly string[]): void {
  for (const source of FakeEventSource.open.filter(({ url }) => url.includes("/logs"))) {
    for (const data of lines) source.dispatchEvent(new MessageEvent("line", { data }));
  }
}
