/** Answers that are texts or files, which the typed client does not read. */

import { saveBlob } from "~/ui/saved-files";
import { problemOf } from "./problems";
import { send } from "./sending";

/** @throws ApiProblem where the service refuses, or does not answer. */
async function answerOf(path: string, signal?: AbortSignal): Promise<Response> {
  const address = new URL(path, location.origin);
  const response = await send(new Request(address, { credentials: "same-origin", signal }));
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw problemOf(response.status, body, response.headers);
}

export async function textOf(path: string, signal?: AbortSignal): Promise<string> {
  return (await answerOf(path, signal)).text();
}

/**
 * Saves a file of the service on the reader's machine.
 *
 * It is read first: a problem becomes an error here, not a file.
 */
export async function saveFile(path: string, fileName: string): Promise<void> {
  saveBlob(await (await answerOf(path)).blob(), fileName);
}
