/** Who the reader is to the service. */

import { queryOptions } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import { isPassing } from "./problems";
import { rememberCsrfToken } from "./sending";

export type BrowserSession = Schemas["SessionView"];

const LONGEST_WAIT_MS = 5_000;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  // An answer that was overtaken, as by signing in, is not remembered.
  queryFn: async ({ signal }) =>
    remembered(await bodyOf(client.GET("/api/v2/session", { signal }))),
  staleTime: 60_000,
  // Without it there is no page at all: it is asked for until the service is back.
  retry: (_failures, error) => isPassing(error),
  retryDelay: (failures) => Math.min(500 * 2 ** failures, LONGEST_WAIT_MS),
});

export async function signIn(token: string): Promise<BrowserSession> {
  return remembered(await bodyOf(client.POST("/api/v2/session", { body: { token } })));
}

export async function signOut(): Promise<void> {
  await bodyOf(client.DELETE("/api/v2/session"));
  rememberCsrfToken(null);
}

function remembered(session: BrowserSession): BrowserSession {
  rememberCsrfToken(session.csrf_token ?? null);
  return session;
}
