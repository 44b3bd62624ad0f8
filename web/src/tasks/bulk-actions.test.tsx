import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { aTask } from "~/api/testing";
import { giveElementsSize, renderApp } from "~/app/testing";

const TASKS = [4, 3, 2, 1].map((id) =>
  aTask({
    id,
    name: `task ${id}`,
    ...(id === 2
      ? { status: "running" as const, allowed_actions: ["cancel" as const, "pause" as const] }
      : {}),
  }),
);

interface Service {
  scope?: string;
  refuse?: number;
}

function renderTasks({ scope = "admin", refuse }: Service = {}) {
  return renderApp("/tasks", ({ method, path }) => {
    if (path === "/api/v2/session") {
      return {
        body: { required: false, authenticated: true, name: null, scope, csrf_token: null },
      };
    }
    if (path === "/api/v2/tasks/") return { body: { items: TASKS, next_cursor: null, total: 4 } };
    const [, id, action] = /\/tasks\/(\d+)(?:\/(\w+))?$/.exec(path) ?? [];
    const task = TASKS.find((one) => one.id === Number(id));
    if (!task) return undefined;
    if (Number(id) === refuse) {
      return { status: 409, body: { title: "Not allowed", detail: `task ${id} is running` } };
    }
    if (method === "DELETE") return { status: 204 };
    return { body: { ...task, status: action === "start" ? "queued" : "cancelled" } };
  });
}

const select = async (...ids: number[]) => {
  for (const id of ids)
    await userEvent.click(await screen.findByLabelText(new RegExp(`^Select task ${id},`)));
};
const bar = () => screen.getByRole("toolbar", { name: "Selected tasks" });
const changes = (asked: { method: string; path: string }[]) =>
  asked
    .filter(({ method }) => method !== "GET")
    .map(({ method, path }) => `${method} ${path.slice(7)}`);

describe("actions on several tasks", () => {
  beforeEach(() => giveElementsSize(1_200, 800));

  it("are offered once tasks are selected, with the number of those that allow them", async () => {
    const { asked } = renderTasks();
    await select(4, 2);
    expect(within(bar()).getByText("2 selected")).toBeVisible();
    expect(within(bar()).getByRole("button", { name: "Pause 1" })).toBeVisible();
    expect(within(bar()).getByRole("button", { name: "Cancel" })).toBeVisible();
    await userEvent.click(within(bar()).getByRole("button", { name: "Start 1" }));
    await waitFor(() => expect(changes(asked)).toEqual(["POST /tasks/4/start"]));
  });

  it("say what the service refuses", async () => {
    renderTasks({ refuse: 3 });
    await select(4, 3);
    await userEvent.click(within(bar()).getByRole("button", { name: "Start" }));
    expect(await screen.findByText("1 of 2 tasks started")).toBeVisible();
    expect(screen.getByText("Task 3 is running.")).toBeVisible();
  });

  it("delete after a while, and give back before", async () => {
    const { asked } = renderTasks();
    await select(4, 3);
    await userEvent.click(within(bar()).getByRole("button", { name: "Delete" }));
    expect(screen.queryByRole("link", { name: "task 4" })).toBeNull();
    await userEvent.click(await screen.findByRole("button", { name: "Undo" }));
    expect(await screen.findByRole("link", { name: "task 4" })).toBeVisible();
    expect(changes(asked)).toEqual([]);
  });

  it("delete at once when the page is left", async () => {
    const { asked } = renderTasks();
    await select(4, 3);
    await userEvent.click(within(bar()).getByRole("button", { name: "Delete" }));
    dispatchEvent(new Event("pagehide"));
    await waitFor(() => expect(changes(asked)).toEqual(["DELETE /tasks/4", "DELETE /tasks/3"]));
    expect(screen.queryByRole("link", { name: "task 4" })).toBeNull();
  });

  it("take a range with the shift key", async () => {
    renderTasks();
    await select(4);
    const user = userEvent.setup();
    await user.keyboard("{Shift>}");
    await user.click(await screen.findByLabelText(/^Select task 2,/));
    await user.keyboard("{/Shift}");
    expect(within(bar()).getByText("3 selected")).toBeVisible();
  });

  it("are not offered to those who may only read", async () => {
    renderTasks({ scope: "read" });
    expect(await screen.findByRole("link", { name: "task 4" })).toBeVisible();
    expect(screen.queryByRole("checkbox")).toBeNull();
    expect(screen.queryByRole("button", { name: /^Actions/ })).toBeNull();
  });
});
