import { describe, expect, it } from "vitest";
import { matches, type TaskList, withoutTasks, withTask } from "./task-lists";
import { aTask } from "./testing";

function aList(rows: number[][], next: string | null = null): TaskList {
  const total = rows.flat().length;
  const pages = rows.map((ids, index) => ({
    items: ids.map((id) => aTask({ id, name: `task ${id}` })),
    next_cursor: index < rows.length - 1 ? `page ${index + 2}` : next,
    total,
  }));
  return { pages, pageParams: [null] };
}

const ids = (list: TaskList) => list.pages.map((page) => page.items.map((row) => row.id));
const totals = (list: TaskList) => list.pages.map((page) => page.total);

describe("a task that is listed", () => {
  it("changes in its place", () => {
    const after = withTask(aList([[9, 8], [7]]), {}, aTask({ id: 8, status: "running" }));
    expect(ids(after)).toEqual([[9, 8], [7]]);
    expect(after.pages[0]?.items[1]?.status).toBe("running");
    expect(totals(after)).toEqual([3, 3]);
  });

  it("stays where what comes is older than what is shown", () => {
    const list = aList([[9, 8], [7]]);
    const running = withTask(list, {}, aTask({ id: 8, status: "running", revision: 3 }));
    expect(withTask(running, {}, aTask({ id: 8, status: "queued", revision: 2 }))).toBe(running);
  });

  it("goes when the filter no longer holds, and is counted no longer", () => {
    const list = aList([[9, 8], [7]]);
    const after = withTask(list, { status: ["pending"] }, aTask({ id: 7, status: "queued" }));
    expect(ids(after)).toEqual([[9, 8], []]);
    expect(totals(after)).toEqual([2, 2]);
  });
});

describe("a task that is not listed", () => {
  it("comes first where the newest are first", () => {
    const after = withTask(aList([[9, 8], [7]]), {}, aTask({ id: 10 }));
    expect(ids(after)).toEqual([[10, 9, 8], [7]]);
    expect(totals(after)).toEqual([4, 4]);
  });

  it("comes where the order puts it", () => {
    const after = withTask(
      aList([[1, 3], [5]]),
      { sort: "name" },
      aTask({ id: 4, name: "task 4" }),
    );
    expect(ids(after)).toEqual([
      [1, 3],
      [4, 5],
    ]);
  });

  it("comes last only into a list that was read whole", () => {
    const last = aTask({ id: 1 });
    expect(ids(withTask(aList([[9, 8]]), {}, last))).toEqual([[9, 8, 1]]);
    const begun = aList([[9, 8]], "page 2");
    expect(withTask(begun, {}, last)).toBe(begun);
  });

  it("stays out of a list that does not ask for it", () => {
    const list = aList([[9]]);
    expect(withTask(list, { engine: ["sglang"] }, aTask({ id: 10 }))).toBe(list);
  });

  it("is not counted again when it moves up by a change", () => {
    const list = aList([[9, 8]], "page 2");
    const task = aTask({ id: 2, updated_at: "2030-01-01T00:00:00Z" });
    expect(totals(withTask(list, { sort: "-updated_at" }, task))).toEqual([2]);
  });
});

describe("deleted tasks", () => {
  it("leave every page and the count", () => {
    const after = withoutTasks(aList([[9, 8], [7]]), new Set([9, 7, 100]));
    expect(ids(after)).toEqual([[8], []]);
    expect(totals(after)).toEqual([1, 1]);
  });
});

describe("the filter", () => {
  it("finds text in name, description and model whatever its case", () => {
    const task = aTask({ name: "Nightly", description: "for chat", model: "Qwen/Qwen3-8B" });
    expect(["night", "CHAT", "qwen3", ""].map((search) => matches(task, { search }))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(matches(task, { search: "llama" })).toBe(false);
  });
});
