/** The one place from which the service's API is called. */

import createClient, { type Middleware } from "openapi-fetch";
import { offlineProblem, problemOf } from "./problems";
import type { components, paths } from "./schema";
import { noteServiceTime } from "./service-clock";

export type Schemas = components["schemas"];

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const UNAUTHORIZED = 401;
let csrfToken: string | null = null;

/** Sets the token that changes are sent with; it comes with the session. */
export function rememberCsrfToken(token: string | null): void {
  csrfToken = token;
}

let onLapse = (): void => {};

/** Sets what is done when the service knows the session no longer. */
export function whenSessionLapses(listener: () => void): void {
  onLapse = listener;
}

const guard: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== null && !SAFE_METHODS.has(request.method)) {
      request.headers.set("X-CSRF-Token", csrfToken);
    }
    return request;
  },
  onResponse({ response }) {
    noteServiceTime(response.headers.get("Date"));
    if (response.status === UNAUTHORIZED) onLapse();
  },
  onError({ error }) {
    return offlineProblem(error);
  },
};

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  credentials: "same-origin",
  fetch: (request) => globalThis.fetch(request),
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
  return (await taggedBodyOf(answer)).body;
}

/** Body of an answer with the tag of its version. */
export async function taggedBodyOf<Data>(
  answer: Promise<Answer<Data>>,
): Promise<{ body: Data; etag: string | null }> {
  const { data, error, response } = await answer;
  if (!response.ok) throw problemOf(response.status, error, response.headers);
  return { body: data as Data, etag: response.headers.get("ETag") };
}
