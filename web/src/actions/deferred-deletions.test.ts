import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem } from "~/api/problems";
import { DeferredDeletions, PATIENCE_MS } from "./deferred-deletions";

const TASKS = [
  { id: 1, name: "one" },
  { id: 2, name: "two" },
];

function setUp() {
  const send = vi.fn(async (_task: { id: number }) => {});
  const onDeleted = vi.fn();
  const onSent = vi.fn();
  return { send, onDeleted, onSent, deletions: new DeferredDeletions({ send, onDeleted, onSent }) };
}

describe("a deletion", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("hides at once and is sent when its time is up", async () => {
    const { deletions, send, onDeleted } = setUp();
    deletions.schedule(TASKS);
    expect([...deletions.hiddenIds()]).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    expect(send).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(send).toHaveBeenCalledTimes(2);
    expect(onDeleted).toHaveBeenCalledWith(new Set([1, 2]));
    expect(deletions.hiddenIds().size).toBe(0);
  });

  it("is never sent once it is undone", async () => {
    const { deletions, send } = setUp();
    const batch = deletions.schedule(TASKS);
    expect(deletions.undo(batch)).toBe(true);
    expect(deletions.hiddenIds().size).toBe(0);
    await vi.advanceTimersByTimeAsync(2 * PATIENCE_MS);
    expect(send).not.toHaveBeenCalled();
  });

  it("cannot be undone once it is sent", async () => {
    const { deletions } = setUp();
    const batch = deletions.schedule(TASKS);
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(deletions.undo(batch)).toBe(false);
  });

  it("is sent at once when the page is left, and once only", async () => {
    const { deletions, send } = setUp();
    deletions.schedule(Array.from({ length: 30 }, (_, id) => ({ id, name: "" })));
    const sent = deletions.flush();
    // Nothing runs after the page: all are on their way before anything is awaited.
    expect(send).toHaveBeenCalledTimes(30);
    await sent;
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(send).toHaveBeenCalledTimes(30);
  });

  it("brings back what the service refuses to delete", async () => {
    const { deletions, send, onDeleted, onSent } = setUp();
    const refusal = new ApiProblem(409, "/problems/wrong-transition", "", "task 2 is running");
    send.mockImplementation(async ({ id }) => {
      if (id === 2) throw refusal;
    });
    const batch = deletions.schedule(TASKS);
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(onDeleted).toHaveBeenCalledWith(new Set([1]));
    expect(onSent).toHaveBeenCalledWith(batch, {
      done: 1,
      refusals: [{ task: TASKS[1], problem: refusal }],
    });
    expect(deletions.hiddenIds().size).toBe(0);
  });

  it("takes back the newest one first", () => {
    const { deletions } = setUp();
    deletions.schedule(TASKS.slice(0, 1));
    deletions.schedule(TASKS.slice(1));
    deletions.undoNewest();
    expect([...deletions.hiddenIds()]).toEqual([1]);
    deletions.undoNewest();
    expect(deletions.undoNewest()).toBeNull();
  });

  it("tells those who show tasks", () => {
    const { deletions } = setUp();
    const listener = vi.fn();
    const stop = deletions.subscribe(listener);
    deletions.undo(deletions.schedule(TASKS));
    expect(listener).toHaveBeenCalledTimes(2);
    stop();
    deletions.schedule(TASKS);
    expect(listener).toHaveBeenCalledTimes(2);
  });
});
