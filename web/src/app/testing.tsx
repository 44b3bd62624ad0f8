/** The whole UI in a test, over a service that answers as the test says. */

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { vi } from "vitest";
import { createQueries } from "./queries";
import { createAppRouter } from "./router";
import { theme } from "./theme";

interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

type Respond = (asked: Asked) => Answer | Promise<Answer> | undefined;

const OPEN_SESSION: Answer = {
  body: { required: false, authenticated: true, name: null, scope: "admin", csrf_token: null },
};

/** Events of the service, which a test sends itself. */
export class FakeEvents {
  static readonly CLOSED = 2;
  static newest: FakeEvents | null = null;
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly address: string) {
    FakeEvents.newest = this;
    queueMicrotask(() => this.onopen?.());
  }

  send(event: Record<string, unknown>): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }

  close(): void {
    this.readyState = FakeEvents.CLOSED;
  }
}

/** Shows the UI at an address; what it asks of the service is noted in `asked`. */
export function renderApp(address: string, respond: Respond) {
  const asked: Asked[] = [];
  vi.stubGlobal("EventSource", FakeEvents);
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname, searchParams } = new URL(request.url);
    const text = await request.text();
    const { method, headers } = request;
    const isJson = headers.get("Content-Type")?.includes("json") ?? false;
    const body: unknown = text === "" || !isJson ? null : JSON.parse(text);
    const one = { method, path: pathname, query: searchParams, body, headers };
    asked.push(one);
    return responseOf((await respond(one)) ?? defaultAnswer(one));
  });
  const queries = createQueries({ mostRetries: 0 });
  const history = createMemoryHistory({ initialEntries: [address] });
  const router = createAppRouter(queries, history);
  const view = render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={queries}>
        <Notifications />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...view, asked, history, queries };
}

/** Gives elements a size, without which a virtual list shows no rows. */
export function giveElementsSize(width: number, height: number): void {
  for (const [name, value] of Object.entries({ clientWidth: width, clientHeight: height })) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, value });
  }
}

function defaultAnswer({ path }: Asked): Answer {
  if (path === "/api/v2/session") return OPEN_SESSION;
  return { status: 404, body: { title: "Not found", detail: `there is no ${path}` } };
}

function responseOf({ status = 200, body, headers }: Answer): Response {
  const text = body === undefined ? null : JSON.stringify(body);
  const type = { "Content-Type": status < 400 ? "application/json" : "application/problem+json" };
  return new Response(text, { status, headers: { ...type, ...headers } });
}
