import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { renderApp } from "~/app/testing";
import { legacySearch } from "./search-params";

const TASK = {
  id: 4,
  task_name: "llama grid",
  description: null,
  status: "pending",
  base_runtime: "vllm",
  model: { id_or_path: "meta-llama/Llama-3.1-8B-Instruct" },
  parameters: { "max-num-seqs": [64, 128] },
  slo: { ttft: { threshold: 0.8 } },
  metadata: { checkpoint: 3 },
  total_experiments: 2,
  successful_experiments: 1,
  best_experiment_id: 11,
  created_at: "2025-11-02T10:20:30Z",
  elapsed_time: null,
};
const EXPERIMENT = { experiment_id: 1, status: "success", error_message: null, elapsed_time: 50 };

function renderLegacy(address: string, { scope = "admin", tasks = [TASK] } = {}) {
  let status = "pending";
  return renderApp(address, ({ method, path, query }) => {
    if (path === "/api/v2/session") {
      return {
        body: { required: false, authenticated: true, name: null, scope, csrf_token: null },
      };
    }
    if (path === "/api/tasks/" && method === "GET") {
      const wanted = query.get("status_filter");
      return { body: tasks.filter((one) => wanted === null || one.status === wanted) };
    }
    if (path === "/api/tasks/" && method === "POST") {
      return { status: 201, body: { ...TASK, id: 9, task_name: "second" } };
    }
    if (path === "/api/tasks/4/start") {
      status = "running";
      return { body: { ...TASK, status } };
    }
    if (path === "/api/tasks/4") return { body: { ...TASK, status } };
    if (path === "/api/tasks/9") return { body: { ...TASK, id: 9, task_name: "second" } };
    if (/^\/api\/experiments\/task\//.test(path)) {
      const parameters = { "max-num-seqs": 64 };
      return { body: [{ ...EXPERIMENT, id: 11, parameters, objective_score: 1.25 }] };
    }
    if (path.endsWith("/logs")) return { body: { logs: "first line\nsecond line\n" } };
    return undefined;
  });
}

describe("tasks of version 1", () => {
  it("are listed as version 1 listed them, those of one status where asked for", async () => {
    renderLegacy("/tasks/legacy");
    const link = await screen.findByRole("link", { name: "llama grid" });
    expect(link).toHaveAttribute("href", "/tasks/legacy/4");
    expect(screen.getByText("1 of 2")).toBeVisible();
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Status" }), "Failed");
    expect(await screen.findByText("No version 1 task has this status")).toBeVisible();
  });

  it("take only a status that version 1 had from an address", () => {
    expect(legacySearch({ status: "failed" })).toEqual({ status: "failed" });
    expect(legacySearch({ status: "paused" })).toEqual({});
  });

  it("are not there in a new service", async () => {
    renderLegacy("/tasks/legacy", { tasks: [] });
    expect(await screen.findByText("There are no version 1 tasks here")).toBeVisible();
  });
});

describe("a task of version 1", () => {
  it("shows its experiments and what it says in words", async () => {
    renderLegacy("/tasks/legacy/4");
    const experiments = await screen.findByRole("region", { name: "Experiments" });
    expect(await within(experiments).findByText(/1: max-num-seqs 64/)).toBeVisible();
    expect(within(experiments).getByText("1.25")).toBeVisible();
    const document = screen.getByRole("region", { name: "What it says" });
    expect(within(document).getByText("slo.ttft").closest("tr")).toHaveTextContent("threshold 0.8");
    expect(within(document).queryByText(/[{}]/)).toBeNull();
  });

  it("says that there is none of a number", async () => {
    renderLegacy("/tasks/legacy/77");
    expect(await screen.findByRole("heading", { name: "v1 task 77" })).toBeVisible();
    expect(screen.getByRole("alert")).toBeVisible();
  });

  it("is started where it waits, and can be cancelled then", async () => {
    renderLegacy("/tasks/legacy/4");
    await userEvent.click(await screen.findByRole("button", { name: "Start" }));
    expect(await screen.findByRole("button", { name: "Cancel" })).toBeVisible();
  });

  it("is cloned under a name of its own", async () => {
    const { asked, history } = renderLegacy("/tasks/legacy/4");
    await userEvent.click(await screen.findByRole("button", { name: "Clone" }));
    const name = await screen.findByRole("textbox", { name: "Name" });
    expect(name).toHaveValue("llama grid (copy)");
    await userEvent.clear(name);
    await userEvent.type(name, "second{Enter}");
    await waitFor(() => expect(history.location.pathname).toBe("/tasks/legacy/9"));
    const [sent] = asked.filter(({ method }) => method === "POST");
    expect(sent?.body).toMatchObject({ task_name: "second", parameters: TASK.parameters });
    expect(sent?.body).not.toHaveProperty("total_experiments");
    expect(sent?.body).not.toHaveProperty("metadata");
  });

  it("may only be read by those who may only read", async () => {
    renderLegacy("/tasks/legacy/4", { scope: "read" });
    expect(await screen.findByRole("heading", { name: "llama grid" })).toBeVisible();
    expect(screen.queryByRole("button", { name: "Start" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Clone" })).toBeNull();
  });
});
