/** What the page has read, and how it stays true to the session. */

import { type FetchInfiniteQueryOptions, QueryClient, type QueryKey } from "@tanstack/react-query";
import { dropTasks } from "~/api/live";
import { ApiProblem, isPassing } from "~/api/problems";
import { whenSessionIsOld } from "~/api/sending";
import { sessionQuery } from "~/api/session";
import { tasksQuery } from "~/api/tasks";

const MOST_RETRIES = 3;

export function createQueries({ mostRetries = MOST_RETRIES } = {}): QueryClient {
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        // Events say what has changed; a second request for the same is none the wiser.
        staleTime: 30_000,
        retry: (failures, error) => isPassing(error) && failures < mostRetries,
      },
      mutations: { retry: false },
    },
  });
  // Where it cannot be read, the shell shows the query's own error.
  whenSessionIsOld(() => queries.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => null));
  queries.getQueryCache().subscribe(({ type, query }) => {
    const [subject, id] = query.queryKey;
    const error: unknown = type === "updated" ? query.state.error : null;
    // Whoever is told that a task is not there is told before the event of its deletion.
    if (subject === "task" && error instanceof ApiProblem && error.isGone) {
      dropTasks(queries, new Set([Number(id)]));
    }
  });
  return queries;
}

/** Begins to read a list that the page will ask for, once the reader is known to be signed in. */
export async function readAhead<Page, Key extends QueryKey>(
  queries: QueryClient,
  list: FetchInfiniteQueryOptions<Page, Error, Page, Key, string | null>,
): Promise<void> {
  const session = await queries.ensureQueryData(sessionQuery).catch(() => null);
  if (session?.authenticated) await queries.prefetchInfiniteQuery(list);
}

/**
 * Whether the reader is signed in to a service without any task.
 *
 * What is read of it is what the list of tasks asks for, which shows then what went wrong.
 */
export async function hasNoTasks(queries: QueryClient): Promise<boolean> {
  const session = await queries.ensureQueryData(sessionQuery).catch(() => null);
  if (!session?.authenticated) return false;
  const read = await queries.fetchInfiniteQuery(tasksQuery({})).catch(() => null);
  return read?.pages[0]?.total === 0;
}
