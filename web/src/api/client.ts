/** The one place from which the service's API is called. */

import createClient from "openapi-fetch";
import { offlineProblem, problemOf } from "./problems";
import type { components, paths } from "./schema";
import { send } from "./sending";

export type Schemas = components["schemas"];

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  credentials: "same-origin",
  fetch: send,
});

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
  const { data, error, response } = await answer.catch((cause: unknown) => {
    // The connection was cut while the body came.
    throw cause instanceof TypeError ? offlineProblem(cause) : cause;
  });
  if (!response.ok) throw problemOf(response.status, error, response.headers);
  return { body: data as Data, etag: response.headers.get("ETag") };
}
