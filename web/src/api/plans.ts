/** What a task would do before it exists: suggestions, validation, plans, files of other forms. */

import { type QueryClient, queryOptions, skipToken } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import { problemOf } from "./problems";

export type Plan = Schemas["TaskPlan"];
export type Validation = Schemas["Validation"];
export type SuggestRequest = Schemas["SuggestRequest"];
export type Suggestion = Schemas["Suggestion"];
export type Conversion = Schemas["Conversion"];
export type PlannedPoint = Plan["prediction"]["frontier"][number];

type Document = Record<string, unknown>;

export interface PlanProgress {
  asked: number;
  total: number;
}

/** Every fault of a document, each at its field. */
export async function validateTask(document: Document, signal?: AbortSignal): Promise<Validation> {
  return bodyOf(client.POST("/api/v2/tasks/validate", { body: document as never, signal }));
}

/** A complete task out of a few decisions. */
export async function suggestTask(
  request: SuggestRequest,
  signal?: AbortSignal,
): Promise<Suggestion> {
  return bodyOf(client.POST("/api/v2/tasks/suggest", { body: request, signal }));
}

/** A task file of either version, or an engine's command line, as a document of version 2. */
export async function convertTask(text: string): Promise<Conversion> {
  return bodyOf(client.POST("/api/v2/tasks/convert", { body: { text, format: "auto" } }));
}

/**
 * The plan of a document that is not stored.
 *
 * @throws ApiProblem where the document cannot be planned, or the service does not answer.
 */
export async function planTask(
  document: Document,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: PlanProgress) => void },
): Promise<Plan> {
  const { data, error, response } = await client.POST("/api/v2/tasks/plan", {
    params: { query: { commands: false } },
    body: document as never,
    headers: { Accept: "text/event-stream" },
    parseAs: "stream",
    signal,
  });
  if (!response.ok || !data) throw problemOf(response.status, error, response.headers);
  try {
    for await (const { name, payload } of eventsOf(data as unknown as ReadableStream<Uint8Array>)) {
      if (name === "progress") onProgress(payload as PlanProgress);
      if (name === "plan") return payload as Plan;
      if (name === "problem") {
        const { status = 422 } = payload as { status?: number };
        throw problemOf(status, payload);
      }
    }
  } catch (cause) {
    // Reading fails with a TypeError where the connection is lost.
    if (!(cause instanceof TypeError)) throw cause;
  }
  throw problemOf(502, {
    title: "The plan was cut off",
    detail: "It is made again when you change something.",
  });
}

const FRESH_MS = 60_000;
/** Answers for documents that were typed past are of no use for long. */
const KEPT_MS = 120_000;

export const suggestionQuery = (request: SuggestRequest | null) =>
  queryOptions({
    queryKey: ["suggestion", request],
    queryFn: request === null ? skipToken : ({ signal }) => suggestTask(request, signal),
    staleTime: FRESH_MS,
    gcTime: KEPT_MS,
  });

export const validationQuery = (document: Document | null) =>
  queryOptions({
    queryKey: ["validation", document],
    queryFn: document === null ? skipToken : ({ signal }) => validateTask(document, signal),
    staleTime: FRESH_MS,
    gcTime: KEPT_MS,
  });

export const planProgressQuery = (document: Document | null) =>
  queryOptions<PlanProgress | null>({
    queryKey: ["plan-progress", document],
    queryFn: skipToken,
    gcTime: KEPT_MS,
  });

export const planQuery = (document: Document | null, queries: QueryClient) =>
  queryOptions({
    queryKey: ["plan", document],
    queryFn:
      document === null
        ? skipToken
        : ({ signal }) =>
            planTask(document, {
              signal,
              onProgress: (progress) =>
                queries.setQueryData(planProgressQuery(document).queryKey, progress),
            }),
    staleTime: FRESH_MS,
    gcTime: KEPT_MS,
  });

interface StreamEvent {
  name: string;
  payload: unknown;
}

/** Events of a stream that answers one request. */
export async function* eventsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const blocks = rest.replaceAll("\r\n", "\n").split("\n\n");
      rest = done ? "" : (blocks.pop() ?? "");
      for (const block of blocks) {
        const event = eventOf(block);
        if (event) yield event;
      }
      if (done) return;
    }
  } finally {
    // Whoever has what it waited for reads no further: the service need not go on. A stream that
    // failed cannot be cancelled, and says so once more.
    await reader.cancel().catch(() => {});
  }
}

function eventOf(block: string): StreamEvent | null {
  const lines = block.split("\n");
  const name =
    lines
      .find((line) => line.startsWith("event:"))
      ?.slice(6)
      .trim() ?? "message";
  const data = lines
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).replace(/^ /, ""))
    .join("\n");
  return data === "" ? null : { name, payload: JSON.parse(data) };
}
