import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { TaskItem } from "~/api/tasks";
import { aTask } from "~/api/testing";
import { type Answer, FakeEvents, giveElementsSize, renderApp } from "~/app/testing";

const NIGHTLY = aTask({ id: 3, name: "nightly", engine: "vllm" });
const RUNNING = aTask({
  id: 2,
  name: "chat on two GPUs",
  status: "running",
  launches: 8,
  allowed_actions: ["cancel", "pause"],
  experiments: { total: 2, running: 1, completed: 1, failed: 0, best_throughput_tok_s: null },
});
const HOSTILE = aTask({
  id: 1,
  name: '<script>alert("x")</script>',
  status: "completed",
  allowed_actions: ["restart"],
});

const DELETED = {
  id: 8,
  task_id: 3,
  at: "2026-11-26T10:00:00Z",
  kind: "task_deleted",
  payload: { name: "nightly" },
  task: null,
};

const page = (items: TaskItem[]): Answer => ({
  body: { items, next_cursor: null, total: items.length },
});

function renderTasks(address = "/tasks", tasks: TaskItem[] = [NIGHTLY, RUNNING, HOSTILE]) {
  return renderApp(address, ({ method, path, query }) => {
    if (path !== "/api/v2/tasks/" || method !== "GET") return undefined;
    const text = query.get("search") ?? "";
    return page(tasks.filter(({ name }) => name.includes(text)));
  });
}

const rowOf = async (name: string) => {
  const link = await screen.findByRole("link", { name });
  const row = link.closest<HTMLElement>('[role="row"]');
  if (!row) throw new Error(`no row of ${name}`);
  return row;
};

/** Waits for the second reading of the list, which follows when events begin. */
async function readAnew({
  asked,
  queries,
}: Pick<ReturnType<typeof renderApp>, "asked" | "queries">) {
  const lists = () => asked.filter(({ path }) => path === "/api/v2/tasks/");
  await waitFor(() => expect(lists()).toHaveLength(2), { timeout: 10_000 });
  await waitFor(() => expect(queries.isFetching()).toBe(0));
}

describe("the list of tasks", () => {
  beforeEach(() => giveElementsSize(1_200, 800));

  it("shows what stands where, and names as they are", async () => {
    renderTasks();
    const row = await rowOf("chat on two GPUs");
    expect(within(row).getByText("Running")).toBeVisible();
    expect(within(row).getByText("1 of 8 launches")).toBeVisible();
    expect(await rowOf('<script>alert("x")</script>')).toBeVisible();
    expect(screen.getByText("3 tasks")).toBeVisible();
    await waitFor(() => expect(document.title).toBe("Tasks · Inference Autotuner"));
  });

  it("is read once more when events begin: a change of that moment is in neither", async () => {
    let reads = 0;
    renderApp("/tasks", ({ method, path }) => {
      if (path !== "/api/v2/tasks/" || method !== "GET") return undefined;
      reads += 1;
      return page([aTask({ id: 3, name: reads === 1 ? "before" : "after" })]);
    });
    expect(await rowOf("after")).toBeVisible();
    expect(reads).toBe(2);
  });

  it("asks for what the address says, and searches into the address", async () => {
    const { asked, history } = renderTasks("/tasks?sort=name&status=%5B%22running%22%5D");
    await rowOf("nightly");
    const first = asked.find(({ path }) => path === "/api/v2/tasks/");
    expect(first?.query.get("sort")).toBe("name");
    expect(first?.query.getAll("status")).toEqual(["running"]);
    await userEvent.type(screen.getByLabelText("Search tasks"), "night");
    await waitFor(() =>
      expect(screen.queryByRole("link", { name: "chat on two GPUs" })).toBeNull(),
    );
    expect(history.location.search).toContain("q=night");
  });

  it("leads to the first task where there is none", async () => {
    renderTasks("/tasks", []);
    const link = await screen.findByRole("link", { name: "Create the first task" });
    expect(link).toHaveAttribute("href", "/tasks/new");
  });

  it("offers to drop the filters where they find nothing", async () => {
    const { history } = renderTasks("/tasks?q=nothing-of-that-name");
    await userEvent.click(
      within(await screen.findByText("No task matches").then(parentOf)).getByRole("button"),
    );
    expect(await rowOf("nightly")).toBeVisible();
    expect(history.location.search).toBe("");
  });

  it("shows a change as its event comes, without asking again", async () => {
    const { asked, queries } = renderTasks();
    await rowOf("nightly");
    await readAnew({ asked, queries });
    const before = asked.length;
    act(() => {
      FakeEvents.newest?.send({
        id: 7,
        task_id: 3,
        at: "2026-11-26T10:00:00Z",
        kind: "asked",
        payload: {},
        task: { ...NIGHTLY, status: "queued" },
      });
    });
    expect(await within(await rowOf("nightly")).findByText("Queued")).toBeVisible();
    expect(asked).toHaveLength(before);
  });

  it("drops a task that somebody else deletes, and asks nothing", async () => {
    const { asked, queries } = renderTasks();
    await rowOf("nightly");
    await readAnew({ asked, queries });
    const before = asked.length;
    act(() => {
      FakeEvents.newest?.send(DELETED);
    });
    await waitFor(() => expect(screen.queryByRole("link", { name: "nightly" })).toBeNull());
    expect(screen.getByText("2 tasks")).toBeVisible();
    expect(asked).toHaveLength(before);
  });

  it("drops a task whose deletion comes while an older list is under way", async () => {
    let items = [NIGHTLY, RUNNING];
    let answer = (_: Response) => {};
    const { asked, queries } = renderApp("/tasks", ({ method, path }) =>
      path === "/api/v2/tasks/" && method === "GET" ? page(items) : undefined,
    );
    await rowOf("nightly");
    await readAnew({ asked, queries });
    const usual = globalThis.fetch;
    vi.stubGlobal("fetch", () => {
      vi.stubGlobal("fetch", usual);
      return new Promise<Response>((resolve) => {
        answer = resolve;
      });
    });
    act(() => void queries.invalidateQueries({ queryKey: ["tasks"] }));
    const older = Response.json(page(items).body);
    items = [RUNNING];
    act(() => FakeEvents.newest?.send(DELETED));
    await waitFor(() => expect(screen.queryByRole("link", { name: "nightly" })).toBeNull());
    answer(older);
    await rowOf("nightly");
    await waitFor(() => expect(screen.queryByRole("link", { name: "nightly" })).toBeNull(), {
      timeout: 10_000,
    });
    expect(screen.getByText("1 task")).toBeVisible();
  });

  it("is gone through by keys, and opens what they are at", async () => {
    const { history } = renderTasks();
    await rowOf("nightly");
    await userEvent.keyboard("jjk");
    await waitFor(async () => expect(await rowOf("nightly")).toHaveFocus());
    await userEvent.keyboard("{ArrowDown}{Enter}");
    expect(history.location.pathname).toBe("/tasks/2");
  });
});

const parentOf = (element: HTMLElement) => element.parentElement ?? element;
