/** The one place from which the service's API is called. */

import createClient, { type Middleware } from "openapi-fetch";
import { offlineProblem, problemOf } from "./problems";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
let csrfToken: string | null = null;

/** Sets the token that changes are sent with; it comes with the session. */
export function rememberCsrfToken(token: string | null): void {
  csrfToken = token;
}

const guard: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== null && !SAFE_METHODS.has(request.method)) {
      request.headers.set("X-CSRF-Token", csrfToken);
    }
    return request;
  },
  onError({ error }) {
    return offlineProblem(error);
  },
};

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  credentials: "same-origin",
});
client.use(guard);

/** What the client answers with: data where the service agreed, else an error. */
interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/**
 * Body of an answer.
 *
 * @throws ApiProblem where the service refuses, or does not answer.
 */
export async function bodyOf<Data>(answer: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await answer;
  if (!response.ok) throw problemOf(response.status, error);
  return data as Data;
}
