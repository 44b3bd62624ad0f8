/** Answers that the typed client does not read: texts, files, and those of version 1's API. */

import { saveBlob } from "~/ui/saved-files";
import { problemOf } from "./problems";
import { send } from "./sending";

/** @throws ApiProblem where the service refuses, or does not answer. */
async function answerOf(path: string, how: RequestInit = {}): Promise<Response> {
  const address = new URL(path, location.origin);
  const response = await send(new Request(address, { credentials: "same-origin", ...how }));
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw problemOf(response.status, body, response.headers);
}

export async function textOf(path: string, signal?: AbortSignal): Promise<string> {
  return (await answerOf(path, { signal })).text();
}

/** Body of an answer of version 1's API, which has no types here. */
export async function jsonOf<Data>(path: string, how: RequestInit = {}): Promise<Data> {
  return (await answerOf(path, how)).json() as Promise<Data>;
}

/**
 * Saves a file of the service on the reader's machine.
 *
 * It is read first: a problem becomes an error here, not a file.
 */
export async function saveFile(path: string, fileName: string): Promise<void> {
  saveBlob(await (await answerOf(path)).blob(), fileName);
}
