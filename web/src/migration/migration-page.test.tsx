import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Answer, FakeEvents, renderApp } from "~/app/testing";
import { aMigratedTask, aReport, aWaitingTask } from "./testing-migrations";

const COMPARED = {
  units: 7,
  worked_on: 0,
  leaves: { carried: 200, verbatim: 3 },
  differing: 0,
  differences: [],
};

interface Service {
  scope?: string;
  waiting?: number[];
  upload?: (isPreview: boolean, engine: string | null) => Answer;
  running?: number[];
  /** Numbers of the tasks of the database that is chosen. */
  inFile?: number[];
}

/** A service that remembers which tasks were migrated and whether the database was moved. */
function renderMigration({
  scope = "admin",
  waiting = [],
  upload,
  running = [],
  inFile = [7],
}: Service = {}) {
  const left = new Set(waiting);
  let isMoved = false;
  const takeBack = () => {
    isMoved = false;
  };
  const shown = renderApp("/migration", ({ method, path, query, body }) => {
    if (path === "/api/v2/session") {
      return {
        body: { required: false, authenticated: true, name: null, scope, csrf_token: null },
      };
    }
    if (path === "/api/v2/migrations/waiting") {
      const after = Number(query.get("after"));
      // Of number 50 on, runtimes name no engine.
      const items = [...left]
        .filter((id) => id > after)
        .map((id) => aWaitingTask(id, id < 50 ? {} : { base_runtime: "my-runtime", engine: null }));
      return { body: { items, total: left.size } };
    }
    if (path === "/api/v2/migrations/") {
      const one = { id: 1, source: "v1.db", units: 7, started_at: "2026-11-27T05:00:00Z" };
      return { body: { items: isMoved ? [{ ...one, ended_at: "2026-11-27T05:01:00Z" }] : [] } };
    }
    if (path === "/api/v2/tasks/migrate/upload") {
      const isPreview = query.get("preview") === "true";
      isMoved ||= !isPreview;
      if (upload) return upload(isPreview, query.get("engine"));
      const report = isPreview ? aReport() : { migration: 1, ...aReport() };
      return { body: { kind: "database", task: null, report } };
    }
    if (path === "/api/v2/tasks/migrate/upload/tasks") {
      const search = query.get("search") ?? "";
      const found = inFile.filter((id) => search === "" || String(id) === search);
      const offset = Number(query.get("offset"));
      const items = found.slice(offset, offset + Number(query.get("limit")));
      return { body: { items: items.map((id) => aWaitingTask(id)), total: found.length } };
    }
    if (/\/upload\/tasks\/\d+$/.test(path)) return { body: aMigratedTask({ v1_task_id: null }) };
    if (path === "/api/v2/engines/") {
      return { body: { items: [{ name: "sglang" }, { name: "vllm" }] } };
    }
    if (path === "/api/v2/migrations/verify") return { body: COMPARED };
    if (path === "/api/v2/migrations/1/undo") {
      const isPreview = query.get("preview") === "true";
      if (!isMoved) return { status: 404, body: { title: "Not found", detail: "it is gone" } };
      const counts = { tasks: 4, experiments: 8, measurements: 10 };
      const left = query.get("force") === "true" ? [] : [3];
      isMoved = isPreview || left.length > 0;
      return { body: { removed: 7, left, counts, running: isPreview ? running : [] } };
    }
    if (path === "/api/v2/tasks/migrate" && method === "POST") {
      const { ids } = body as { ids: number[] };
      for (const id of ids) if (id !== 13) left.delete(id);
      const items = ids.map((id) =>
        id === 13
          ? aMigratedTask({
              v1_task_id: 13,
              document: null,
              notes: [{ path: "", outcome: "kept", text: "it becomes no task of version 2" }],
            })
          : aMigratedTask({ v1_task_id: id, task_id: 100 + id, created: true }),
      );
      return { body: { items, faults: [] } };
    }
    if (/\/tasks\/migrate\/\d+$/.test(path)) return { body: aMigratedTask() };
    return undefined;
  });
  return { ...shown, takeBack };
}

/** Stands for a form, which Node's requests cannot read of jsdom. */
class NamesOfFiles extends URLSearchParams {
  override append(name: string, file: unknown): void {
    super.append(name, (file as File).name);
  }
}
beforeEach(() => {
  vi.stubGlobal("FormData", NamesOfFiles);
});

const fromFile = () => screen.findByRole("region", { name: "From a file" });
const waitingHere = () => screen.findByRole("region", { name: /^Waiting here/ });

async function choose(name = "v1.db") {
  const card = await fromFile();
  const input = card.querySelector("input[type=file]") as HTMLInputElement;
  await userEvent.upload(input, new File(["SQLite format 3"], name), { applyAccept: false });
  return card;
}

describe("a file of version 1", () => {
  it("is looked at before anything is written, then migrated, compared and taken back", async () => {
    const { asked } = renderMigration();
    const card = await choose();
    expect(await within(card).findByText("What it would become")).toBeVisible();
    expect(within(card).getByText(/^tasks: 4 to move · presets: 3 to move$/)).toBeVisible();
    const uploads = () => asked.filter(({ path }) => path.endsWith("/upload"));
    expect(uploads().map(({ query }) => query.get("preview"))).toEqual(["true"]);

    await userEvent.click(within(card).getByRole("button", { name: "Migrate it" }));
    expect(await within(card).findByText("It is migrated")).toBeVisible();
    expect(await screen.findByRole("button", { name: "Take back v1.db" })).toBeVisible();
    await userEvent.click(within(card).getByRole("button", { name: "Compare with the file" }));
    expect(await within(card).findByText("Nothing differs")).toBeVisible();
    expect(within(card).getByText(/203 values of 7 rows/)).toBeVisible();

    await userEvent.click(within(card).getByRole("button", { name: "Take it back" }));
    const dialog = await screen.findByRole("dialog", { name: "Take back v1.db" });
    expect(
      await within(dialog).findByText(/4 tasks, 8 experiments and 10 measurements/),
    ).toBeVisible();
    await userEvent.click(within(dialog).getByRole("button", { name: "Take back" }));
    expect(await within(dialog).findByText(/1 task stays/)).toBeVisible();
    const further = within(dialog).getByRole("button", { name: "Remove these too" });
    await waitFor(() => expect(further).toBeEnabled());
    await userEvent.click(further);
    expect(await within(dialog).findByText("Nothing from it is left here.")).toBeVisible();
    await userEvent.click(within(dialog).getByRole("button", { name: "Close" }));
    expect(await screen.findByText("No databases have been moved here")).toBeVisible();
  });

  it("opens any of its tasks beside what it becomes, before anything is written", async () => {
    const inFile = Array.from({ length: 25 }, (_, place) => place + 1);
    const { asked } = renderMigration({ inFile });
    const card = await choose();
    expect(await within(card).findByText("1 to 10 of 25 tasks")).toBeVisible();
    expect(within(card).getByRole("button", { name: "Previous" })).toBeDisabled();
    for (const range of ["11 to 20", "21 to 25"]) {
      await userEvent.click(within(card).getByRole("button", { name: "Next" }));
      expect(await within(card).findByText(`${range} of 25 tasks`)).toBeVisible();
    }
    expect(within(card).getByRole("button", { name: "Next" })).toBeDisabled();
    const field = within(card).getByRole("searchbox", { name: "Find a task of the file" });
    await userEvent.type(field, "99");
    expect(await within(card).findByText(/^No task of the file has this/)).toBeVisible();
    await userEvent.clear(field);
    await userEvent.type(field, "23");
    await userEvent.click(await within(card).findByRole("button", { name: "Preview old 23" }));
    const dialog = await screen.findByRole("dialog", { name: "What old 23 becomes" });
    expect(await within(dialog).findByText("parallel.tensor_parallel")).toBeVisible();
    expect(within(dialog).getByText("parameters.tp-size")).toBeVisible();
    const writes = asked.filter(
      ({ path, query }) => path.endsWith("/upload") && query.get("preview") !== "true",
    );
    expect(writes).toEqual([]);
    expect(asked.some(({ path }) => path.endsWith("/upload/tasks/23"))).toBe(true);
  });

  it("says which successful experiments become no measurement, and why", async () => {
    const unmeasured = { "its raw results are empty": 3, "its metrics are no numbers": 1 };
    renderMigration({
      upload: () => ({ body: { kind: "database", task: null, report: aReport({ unmeasured }) } }),
    });
    const card = await choose();
    expect(await within(card).findByText(/whose metrics become no measurement/)).toBeVisible();
    expect(within(card).getByText("3 experiments: its raw results are empty.")).toBeVisible();
    expect(within(card).getByText("1 experiment: its metrics are no numbers.")).toBeVisible();
  });

  it("that somebody takes back elsewhere is no longer shown as migrated", async () => {
    const { takeBack } = renderMigration();
    const card = await choose();
    await userEvent.click(await within(card).findByRole("button", { name: "Migrate it" }));
    expect(await screen.findByRole("button", { name: "Take back v1.db" })).toBeVisible();
    takeBack();
    FakeEvents.newest?.send({ id: 9, task_id: 4, kind: "task_deleted", payload: {}, task: null });
    expect(await within(card).findByText("It has been taken back")).toBeVisible();
    for (const name of ["Take it back", "Compare with the file"]) {
      expect(within(card).queryByRole("button", { name })).toBeNull();
    }
    expect(within(card).getByRole("button", { name: "Migrate it" })).toBeVisible();
  });

  it("that somebody takes back while one is asked is called gone once", async () => {
    const { takeBack, asked } = renderMigration();
    const card = await choose();
    await userEvent.click(await within(card).findByRole("button", { name: "Migrate it" }));
    await userEvent.click(await screen.findByRole("button", { name: "Take back v1.db" }));
    const dialog = await screen.findByRole("dialog", { name: "Take back v1.db" });
    const button = within(dialog).getByRole("button", { name: "Take back" });
    await waitFor(() => expect(button).toBeEnabled());
    takeBack();
    await userEvent.click(button);
    // What would go is asked anew, and is not there either.
    const previews = () =>
      asked.filter(({ path, query }) => path.endsWith("/undo") && query.get("preview") === "true");
    await waitFor(() => expect(previews().length).toBeGreaterThan(1));
    await waitFor(() => expect(within(dialog).getAllByRole("alert")).toHaveLength(1));
    expect(within(dialog).getByText("It is gone.")).toBeVisible();
  });

  it("is not taken back while one of its tasks runs, which is said", async () => {
    const { asked } = renderMigration({ running: [1234] });
    const card = await choose();
    await userEvent.click(await within(card).findByRole("button", { name: "Migrate it" }));
    await userEvent.click(await screen.findByRole("button", { name: "Take back v1.db" }));
    const dialog = await screen.findByRole("dialog", { name: "Take back v1.db" });
    expect(await within(dialog).findByText(/^Task 1234 runs: cancel it first/)).toBeVisible();
    expect(within(dialog).getByRole("button", { name: "Take back" })).toBeDisabled();
    const sent = asked.filter(({ path }) => path.endsWith("/undo"));
    expect(sent.every(({ query }) => query.get("preview") === "true")).toBe(true);
  });

  it("is refused in the words of the service", async () => {
    const upload = () => ({
      status: 422,
      body: { title: "No database", detail: "v1.db is damaged" },
    });
    renderMigration({ upload });
    const card = await choose();
    expect(await within(card).findByText("v1.db is damaged.")).toBeVisible();
    expect(within(card).queryByRole("button", { name: "Migrate it" })).toBeNull();
  });

  it("of one task is shown field by field", async () => {
    const upload = () => ({ body: { kind: "task", task: aMigratedTask(), report: null } });
    renderMigration({ upload });
    const card = await choose("task.json");
    const row = (await within(card).findByText("parallel.tensor_parallel")).closest("tr");
    expect(row).toHaveTextContent("parameters.tp-size1, 2Carried overparallel.tensor_parallel1, 2");
    await userEvent.click(within(card).getByRole("switch"));
    expect(within(card).queryByText("parallel.tensor_parallel")).toBeNull();
    expect(within(card).getByText("To fill in")).toBeVisible();
  });
});

describe("a task whose runtime names no engine", () => {
  const label = "Engine for runtimes that name none";

  it("in a file is looked at anew with the engine that is chosen, and migrated with it", async () => {
    const upload = () => ({ body: { kind: "task", task: aMigratedTask(), report: null } });
    const { asked } = renderMigration({ upload });
    const card = await choose("task.json");
    const select = await within(card).findByRole("combobox", { name: label });
    await within(select).findByRole("option", { name: "sglang" });
    await userEvent.selectOptions(select, "sglang");
    const button = within(card).getByRole("button", { name: "Migrate it" });
    await waitFor(() => expect(button).toBeEnabled());
    await userEvent.click(button);
    expect(await within(card).findByText("It is migrated")).toBeVisible();
    const sent = asked.filter(({ path }) => path.endsWith("/upload"));
    expect(sent.map(({ query }) => [query.get("preview"), query.get("engine")])).toEqual([
      ["true", null],
      ["true", "sglang"],
      ["false", "sglang"],
    ]);
    expect(within(card).queryByRole("combobox", { name: label })).toBeNull();
  });

  it("keeps the choice under the keyboard when the engine is left open again", async () => {
    const upload = (_: boolean, engine: string | null) => {
      const notes = engine === null ? {} : { notes: [] };
      return { body: { kind: "task", task: aMigratedTask(notes), report: null } };
    };
    const { asked } = renderMigration({ upload });
    const card = await choose("task.json");
    const select = await within(card).findByRole("combobox", { name: label });
    await within(select).findByRole("option", { name: "sglang" });
    select.focus();
    const button = within(card).getByRole("button", { name: "Migrate it" });
    for (const engine of ["sglang", ""]) {
      await userEvent.selectOptions(select, engine);
      await waitFor(() => expect(button).toBeEnabled());
    }
    expect(asked.filter(({ path }) => path.endsWith("/upload"))).toHaveLength(3);
    // The same element: it did not go while an answer was awaited.
    expect(select).toHaveFocus();
  });

  it("that waits is previewed and migrated with it; others offer none", async () => {
    const { asked } = renderMigration({ waiting: [7, 50] });
    const card = await waitingHere();
    const select = await within(card).findByRole("combobox", { name: label });
    await within(select).findByRole("option", { name: "vllm" });
    await userEvent.selectOptions(select, "vllm");
    await userEvent.click(within(card).getByRole("button", { name: "Preview old 50" }));
    const dialog = await screen.findByRole("dialog", { name: "What old 50 becomes" });
    expect(within(dialog).getByRole("combobox", { name: label })).toHaveValue("vllm");
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await userEvent.click(within(card).getByRole("button", { name: "Migrate all" }));
    expect(await within(card).findByText("2 tasks migrated")).toBeVisible();
    const sent = asked.filter(({ path }) => path.startsWith("/api/v2/tasks/migrate"));
    expect(sent.map(({ query }) => query.get("engine"))).toEqual(["vllm", "vllm"]);
    await waitFor(() => expect(within(card).queryByRole("combobox", { name: label })).toBeNull());
  });
});

describe("tasks of version 1 that wait", () => {
  it("are previewed one by one", async () => {
    renderMigration({ waiting: [7] });
    await userEvent.click(await screen.findByRole("button", { name: "Preview old 7" }));
    const dialog = await screen.findByRole("dialog", { name: "What old 7 becomes" });
    expect(await within(dialog).findByText("Say which engine it is.")).toBeVisible();
  });

  it("are migrated as chosen", async () => {
    const { asked } = renderMigration({ waiting: [1, 2, 3] });
    const card = await waitingHere();
    expect(
      await within(card).findByRole("button", { name: "Migrate those chosen" }),
    ).toBeDisabled();
    await userEvent.click(within(card).getByRole("checkbox", { name: "old 2" }));
    await userEvent.click(within(card).getByRole("button", { name: "Migrate 1" }));
    expect(await within(card).findByText("1 task migrated")).toBeVisible();
    await waitFor(() => expect(within(card).queryByText("old 2")).toBeNull());
    const sent = asked.filter(({ path }) => path === "/api/v2/tasks/migrate");
    expect(sent.map(({ body }) => body)).toEqual([{ ids: [2] }]);
  });

  it("are all migrated, some in each request, and those that become none are named", async () => {
    const all = Array.from({ length: 25 }, (_, place) => place + 1);
    const { asked } = renderMigration({ waiting: all });
    const card = await waitingHere();
    await userEvent.click(await within(card).findByRole("button", { name: "Migrate all" }));
    expect(await within(card).findByText("24 tasks migrated")).toBeVisible();
    expect(within(card).getByText(/^V1 task 13: it becomes no task/)).toBeVisible();
    const sent = asked.filter(({ path }) => path === "/api/v2/tasks/migrate");
    expect(sent.map(({ body }) => (body as { ids: number[] }).ids.length)).toEqual([20, 5]);
    expect(await within(card).findByText("old 13")).toBeVisible();
  });

  it("are not there in a new service, and nobody may migrate who may only read", async () => {
    renderMigration({ scope: "read" });
    expect(await screen.findByText("No version 1 tasks are waiting")).toBeVisible();
    const card = await choose();
    expect(await within(card).findByText("What it would become")).toBeVisible();
    expect(within(card).queryByRole("button", { name: "Migrate it" })).toBeNull();
  });
});
