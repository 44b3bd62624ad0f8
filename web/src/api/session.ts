/** Who the reader is to the service. */

import { queryOptions } from "@tanstack/react-query";
import type { Client } from "openapi-fetch";
import { bodyOf, client, rememberCsrfToken } from "./client";
import { isPassing } from "./problems";

export interface BrowserSession {
  required: boolean;
  authenticated: boolean;
  name: string | null;
  scope: "read" | "write" | "admin" | null;
  csrf_token: string | null;
  expires_at: string | null;
}

type Answers<Status extends number, Body> = {
  responses: { [status in Status]: { content: { "application/json": Body } } };
};

interface SessionPaths {
  "/api/v2/session": {
    get: Answers<200, BrowserSession>;
    post: Answers<201, BrowserSession> & {
      requestBody: { content: { "application/json": { token: string } } };
    };
    delete: Answers<204, never>;
  };
}

const sessions = client as unknown as Client<SessionPaths>;

const LONGEST_WAIT_MS = 5_000;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => remembered(await bodyOf(sessions.GET("/api/v2/session"))),
  staleTime: 60_000,
  // Without it there is no page at all: it is asked for until the service is back.
  retry: (_failures, error) => isPassing(error),
  retryDelay: (failures) => Math.min(500 * 2 ** failures, LONGEST_WAIT_MS),
});

export async function signIn(token: string): Promise<BrowserSession> {
  return remembered(await bodyOf(sessions.POST("/api/v2/session", { body: { token } })));
}

export async function signOut(): Promise<void> {
  await bodyOf(sessions.DELETE("/api/v2/session"));
  rememberCsrfToken(null);
}

function remembered(session: BrowserSession): BrowserSession {
  rememberCsrfToken(session.csrf_token ?? null);
  return session;
}
