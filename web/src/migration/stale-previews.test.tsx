import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { type Answer, renderApp } from "~/app/testing";
import { aMigratedTask, aWaitingTask } from "./testing-migrations";

const LABEL = "Engine for runtimes that name none";
const taskWith = (field: string) =>
  aMigratedTask({ notes: [{ path: "base_runtime", outcome: "open", text: field }] });

/** A service of which the answer about an engine is given by the test. */
function renderWithEngines() {
  let give: (made: Answer) => void = () => {};
  const awaited = new Promise<Answer>((resolve) => {
    give = resolve;
  });
  const made = (engine: string | null, body: unknown) => (engine === null ? { body } : awaited);
  renderApp("/migration", ({ path, query }) => {
    const engine = query.get("engine");
    if (path === "/api/v2/migrations/waiting") {
      const task = aWaitingTask(50, { base_runtime: "my-runtime", engine: null });
      return { body: { items: [task], total: 1 } };
    }
    if (path === "/api/v2/migrations/") return { body: { items: [] } };
    if (path === "/api/v2/engines/") return { body: { items: [{ name: "vllm" }] } };
    if (/\/tasks\/migrate\/\d+$/.test(path)) return made(engine, taskWith("of no engine"));
    if (path === "/api/v2/tasks/migrate/upload") {
      return made(engine, { kind: "task", task: taskWith("of no engine"), report: null });
    }
    return undefined;
  });
  return (answer: Answer) => give(answer);
}

beforeEach(() => {
  vi.stubGlobal("FormData", URLSearchParams);
});

const isStale = (text: string) => screen.getByText(text).closest("[aria-busy=true]") !== null;

it("a waiting task's preview is dimmed while another one is made", async () => {
  const give = renderWithEngines();
  await userEvent.click(await screen.findByRole("button", { name: "Preview old 50" }));
  const dialog = await screen.findByRole("dialog", { name: "What old 50 becomes" });
  await within(dialog).findByText("Of no engine.");
  expect(isStale("Of no engine.")).toBe(false);
  const select = within(dialog).getByRole("combobox", { name: LABEL });
  await within(select).findByRole("option", { name: "vllm" });
  await userEvent.selectOptions(select, "vllm");
  await waitFor(() => expect(isStale("Of no engine.")).toBe(true));
  give({ body: taskWith("of vllm") });
  await within(dialog).findByText("Of vllm.");
  expect(isStale("Of vllm.")).toBe(false);
});

it("a file's preview is dimmed while another one is made, and gone where there is none", async () => {
  const give = renderWithEngines();
  const card = await screen.findByRole("region", { name: "From a file" });
  const input = card.querySelector("input[type=file]") as HTMLInputElement;
  await userEvent.upload(input, new File(["{}"], "task.json"), { applyAccept: false });
  await within(card).findByText("Of no engine.");
  expect(isStale("Of no engine.")).toBe(false);
  const select = within(card).getByRole("combobox", { name: LABEL });
  await within(select).findByRole("option", { name: "vllm" });
  await userEvent.selectOptions(select, "vllm");
  await waitFor(() => expect(isStale("Of no engine.")).toBe(true));
  give({ status: 422, body: { title: "No", detail: "vllm has no such flag" } });
  expect(await within(card).findByRole("alert")).toHaveTextContent(/vllm has no such flag/i);
  expect(within(card).queryByText("Of no engine.")).toBeNull();
  expect(within(card).getByRole("combobox", { name: LABEL })).toHaveValue("vllm");
});
