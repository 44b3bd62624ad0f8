/** Answers that are texts or files, which the typed client does not read. */

import { offlineProblem, problemOf } from "./problems";

/** @throws ApiProblem where the service refuses, or does not answer. */
async function answerOf(path: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin" });
  } catch (cause) {
    throw offlineProblem(cause);
  }
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
  return response;
}

export async function textOf(path: string): Promise<string> {
  return (await answerOf(path)).text();
}

/**
 * Saves a file of the service on the reader's machine.
 *
 * It is read first: a problem becomes an error here, not a file.
 */
export async function saveFile(path: string, fileName: string): Promise<void> {
  saveBlob(await (await answerOf(path)).blob(), fileName);
}

/** Saves a text that the page has. */
export function saveText(text: string, fileName: string): void {
  saveBlob(new Blob([text], { type: "text/plain;charset=utf-8" }), fileName);
}

function saveBlob(blob: Blob, fileName: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  link.click();
  // Some browsers read the address a moment after the click.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
