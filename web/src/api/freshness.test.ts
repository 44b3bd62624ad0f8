import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Freshness, TURN_MS } from "./freshness";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("reads once for a burst, and once more for what comes while it reads", async () => {
  const queries = new QueryClient();
  const freshness = new Freshness(queries);
  const read = vi.fn(() => new Promise((resolve) => setTimeout(() => resolve(1), 3 * TURN_MS)));
  queries.setQueryData(["points", 7], 0);
  const seen = new QueryObserver(queries, {
    queryKey: ["points", 7],
    queryFn: read,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const stop = seen.subscribe(() => {});
  for (let count = 0; count < 500; count += 1) freshness.renew(["points", 7]);
  await vi.advanceTimersByTimeAsync(TURN_MS);
  expect(read).toHaveBeenCalledTimes(1);
  for (let count = 0; count < 500; count += 1) freshness.renew(["points", 7]);
  await vi.advanceTimersByTimeAsync(2 * TURN_MS);
  expect(read).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2 * TURN_MS);
  expect(read).toHaveBeenCalledTimes(2);
  stop();
  freshness.stop();
});
