import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { point } from "~/explorer/testing-points";
import type { TaskEvent } from "./event-stream";
import { Freshness, TURN_MS } from "./freshness";
import { apply } from "./live";
import { type TaskPoints, withPoint } from "./points";

const first = point({ id: "1:concurrency:8", figures: { tok_s: 100 } });
const cached: TaskPoints = { items: [first], total: 1, objectives: ["tok_s"], slo: {} };
const again = point({ id: "1:concurrency:8", figures: { tok_s: 120 } });
const other = point({ id: "2:concurrency:8", figures: { tok_s: 90 } });

const event = (payload: Record<string, unknown>, kind = "level_measured"): TaskEvent => ({
  id: 1,
  task_id: 7,
  at: "2026-11-26T09:00:00Z",
  kind,
  payload,
});

describe("withPoint", () => {
  it("adds a point, or puts it in the place of the one with its id", () => {
    expect(withPoint(cached, other)).toMatchObject({ items: [first, other], total: 2 });
    expect(withPoint(cached, again)).toMatchObject({ items: [again], total: 1 });
    expect(cached.items).toEqual([first]);
  });
});

describe("a measured level", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("brings its point without another request", () => {
    const queries = new QueryClient();
    queries.setQueryData(["points", 7], cached);
    queries.setQueryData(["points", 8], cached);
    apply(queries, new Freshness(queries), event({ point: other }));
    expect(queries.getQueryData<TaskPoints>(["points", 7])?.items).toEqual([first, other]);
    expect(queries.getQueryState(["points", 7])?.isInvalidated).toBe(false);
    expect(queries.getQueryData<TaskPoints>(["points", 8])?.items).toEqual([first]);
  });

  it("has the points read again where it brings none, as the end of a launch does", () => {
    for (const each of [event({}), event({ point: other }, "experiment_ended")]) {
      const queries = new QueryClient();
      queries.setQueryData(["points", 7], cached);
      apply(queries, new Freshness(queries), each);
      vi.advanceTimersByTime(TURN_MS);
      expect(queries.getQueryState(["points", 7])?.isInvalidated).toBe(true);
    }
  });
});
