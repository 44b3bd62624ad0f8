import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { configure, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { forget } from "~/app/storage";
import { NewTaskPage } from "./new-task-page";
import { newTaskSearch } from "./search-params";
import { DOCUMENT, GOALS, MODELS, PLAN, PREVIEWS, SCHEMA, SUGGESTION, WORKLOADS } from "./testing";

// A page of this size takes seconds where others use the machine.
vi.setConfig({ testTimeout: 60_000 });
configure({ asyncUtilTimeout: 15_000 });
window.scrollTo = () => {};

interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown> | null;
}

/** The service, as far as the page asks it; what it was asked. */
const service = vi.hoisted(() => {
  const asked: Asked[] = [];
  const answers = new Map<string, (asked: Asked) => Response>();
  globalThis.fetch = async (input) => {
    const request = input as Request;
    const { pathname } = new URL(request.url);
    const text = request.method === "GET" ? "" : await request.text();
    const one = { method: request.method, path: pathname, body: text ? JSON.parse(text) : null };
    asked.push(one);
    const answer = answers.get(`${request.method} ${pathname}`);
    return answer?.(one) ?? new Response("{}", { status: 404 });
  };
  return { asked, answers };
});

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
const stream = (name: string, payload: unknown) =>
  new Response(`event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`, {
    headers: { "Content-Type": "text/event-stream" },
  });

function answer(path: string, body: unknown, method = "GET"): void {
  service.answers.set(`${method} /api/v2${path}`, () => json(body));
}

beforeEach(() => {
  service.asked.length = 0;
  service.answers.clear();
  for (const key of ["draft-new", "draft-from-7", "draft-edit-7"]) forget(key);
  answer("/catalog/models", MODELS);
  answer("/catalog/goals", GOALS);
  answer("/catalog/workloads", WORKLOADS);
  answer("/catalog/gpus", { items: [{ name: "h100_sxm", memory_gib: 80 }] });
  answer("/engines/", {
    items: [{ name: "llamacpp", title: "llama.cpp", found: true, version: "b1" }],
  });
  answer("/system/devices", { items: [{ kind: "cpu", name: "x", count: 2, memory_gib: 8 }] });
  answer("/schema/task", SCHEMA);
  answer("/profiles/preview", PREVIEWS, "POST");
  answer("/tasks/suggest", SUGGESTION, "POST");
  answer(
    "/tasks/validate",
    { valid: true, errors: [], warnings: [], candidates: 3, content_id: "x" },
    "POST",
  );
  service.answers.set("POST /api/v2/tasks/plan", () => stream("plan", PLAN));
  answer("/tasks/", { id: 12, status: "queued" }, "POST");
});

function open(address = "/tasks/new") {
  const root = createRootRoute();
  const page = createRoute({
    getParentRoute: () => root,
    path: "/tasks/new",
    validateSearch: newTaskSearch,
    component: NewTaskPage,
  });
  const task = createRoute({
    getParentRoute: () => root,
    path: "/tasks/$taskId",
    component: () => <p>The task's page</p>,
  });
  const router = createRouter({
    routeTree: root.addChildren([page, task]),
    history: createMemoryHistory({ initialEntries: [address] }),
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

const created = () =>
  service.asked.filter((each) => each.path === "/api/v2/tasks/" && each.method === "POST");
const LAST_VALID =
  "This is the plan of the last valid input: 1 field holds a value that cannot be taken.";
const startButton = () => screen.findByRole("button", { name: "Create and start" });

describe("Quick", () => {
  it("is one click away from a task that runs", async () => {
    open();
    const button = await startButton();
    await waitFor(() => expect(button).toBeEnabled());
    await userEvent.click(button);
    expect(await screen.findByText("The task's page")).toBeInTheDocument();
    expect(created()[0]?.body).toEqual(DOCUMENT);
  });

  it("shows what the task would do", async () => {
    open();
    const plan = await screen.findByRole("region", { name: "Plan" });
    expect(await within(plan).findByText("of 4")).toBeInTheDocument();
    expect(within(plan).getByText("4 min")).toBeInTheDocument();
    expect(within(plan).getByText("needs more memory than there is")).toBeInTheDocument();
    expect(within(plan).getByRole("img", { name: /2 points/ })).toBeInTheDocument();
  });

  it("says at the model that it is not known", async () => {
    service.answers.set("POST /api/v2/tasks/suggest", () =>
      json(
        { title: "Not valid", detail: "", errors: [{ path: "model", message: "is unknown" }] },
        422,
      ),
    );
    open();
    expect(await screen.findByText("is unknown")).toBeInTheDocument();
    expect(await startButton()).toBeDisabled();
  });

  it("asks for limits where the goal needs them", async () => {
    open();
    await userEvent.click(await screen.findByRole("radio", { name: "SLO" }));
    expect(await screen.findByLabelText("TTFT, mean")).toHaveValue("1000");
    await waitFor(() =>
      expect(service.asked.findLast((each) => each.path.endsWith("/suggest"))?.body).toMatchObject({
        goal: "slo",
        slo: { ttft_ms: 1000, tpot_ms: 50 },
      }),
    );
    await userEvent.selectOptions(screen.getByLabelText("Limit a percentile too"), "TTFT, p99");
    await userEvent.type(await screen.findByLabelText("TTFT, p99"), "3000");
    await waitFor(() =>
      expect(service.asked.findLast((each) => each.path.endsWith("/suggest"))?.body).toMatchObject({
        slo: { ttft_ms: 1000, tpot_ms: 50, ttft_p99_ms: 3000 },
      }),
    );
  });

  it("starts nothing without the model that was taken away", async () => {
    open();
    const button = await startButton();
    await waitFor(() => expect(button).toBeEnabled());
    const model = screen.getByRole("textbox", { name: "Model" });
    await userEvent.clear(model);
    expect(await screen.findByText("Enter the model to serve")).toBeInTheDocument();
    expect(button).toBeDisabled();
    expect(screen.getByText(/plan of the last valid input: no model is named/)).toBeVisible();
    await userEvent.type(model, "smollm2-135m");
    await waitFor(() => expect(button).toBeEnabled());
  });

  it.each(["-5", "0", "fast"])(
    "takes a limit of %s neither as another nor as none",
    async (typed) => {
      open();
      await userEvent.click(await screen.findByRole("radio", { name: "SLO" }));
      const limit = await screen.findByLabelText("TTFT, mean");
      const button = await startButton();
      await waitFor(() => expect(button).toBeEnabled());
      await userEvent.clear(limit);
      await userEvent.type(limit, typed);
      await userEvent.tab();
      expect(limit).toHaveValue(typed);
      expect(limit).toBeInvalid();
      expect(button).toBeDisabled();
      const plan = screen.getByRole("region", { name: "Plan" });
      expect(within(plan).getByText(LAST_VALID)).toBeVisible();
      expect(within(plan).queryByText("Up to date")).toBeNull();
      await userEvent.click(screen.getByRole("radio", { name: "Balanced" }));
      await waitFor(() => expect(button).toBeEnabled());
      expect(within(plan).queryByText(LAST_VALID)).toBeNull();
      expect(await within(plan).findByText("Up to date")).toBeVisible();
    },
  );

  it("asks before it starts an engine that is not installed", async () => {
    answer("/engines/", {
      items: [{ name: "llamacpp", title: "llama.cpp", found: false, version: null }],
    });
    open();
    expect(await screen.findByText(/llama.cpp is not installed/)).toBeInTheDocument();
    await waitFor(() => expect(screen.getByRole("button", { name: "Create" })).toBeEnabled());
    const button = await startButton();
    expect(button).toBeDisabled();
    await userEvent.click(screen.getByLabelText("Start anyway: a worker elsewhere has it"));
    expect(button).toBeEnabled();
  });

  it("names every engine that is not installed, of all that a task would try", async () => {
    const [name, title, found] = ["sglang", "SGLang", false];
    const wanted = { ...DOCUMENT, system: { backend: ["llamacpp", "vllm", name] } };
    answer("/tasks/suggest", { ...SUGGESTION, document: wanted }, "POST");
    answer("/engines/", {
      items: [
        { name: "llamacpp", title: "llama.cpp", found: true, version: "b1" },
        { name: "vllm", title: "vLLM", found, version: null },
        { name, title, found, version: null },
      ],
    });
    open();
    expect(await screen.findByText(/^vLLM and SGLang are not installed/)).toBeInTheDocument();
    const button = await startButton();
    await waitFor(() => expect(screen.getByRole("button", { name: "Create" })).toBeEnabled());
    expect(button).toBeDisabled();
    await userEvent.click(screen.getByLabelText("Start anyway: a worker elsewhere has them"));
    expect(button).toBeEnabled();
  });

  it("says what a profile sets here, and why", async () => {
    open();
    await userEvent.click(await screen.findByRole("button", { name: "Sets 1 field here" }));
    expect(screen.getByText("spans the knee")).toBeInTheDocument();
  });

  it("keeps the draft over a reload", async () => {
    const first = open();
    const name = await screen.findByLabelText("Name");
    await waitFor(() => expect(name).toHaveValue("smollm2-135m"));
    await userEvent.clear(name);
    await userEvent.type(name, "mine");
    first.unmount();
    open();
    await waitFor(() => expect(screen.getByLabelText("Name")).toHaveValue("mine"));
    expect(screen.getByText(/Your draft was kept/)).toBeInTheDocument();
  });
});

describe("other tasks", () => {
  const task = { id: 7, name: "old", status: "pending", config: { ...DOCUMENT, name: "old" } };

  it("are copied under another name", async () => {
    service.answers.set("GET /api/v2/tasks/7", () => json(task, 200, { ETag: '"1"' }));
    open("/tasks/new?from=7");
    await waitFor(() => expect(screen.getByLabelText("Name")).toHaveValue("old (copy)"));
  });

  it("that somebody changed meanwhile are not overwritten unasked", async () => {
    service.answers.set("GET /api/v2/tasks/7", () => json(task, 200, { ETag: '"1"' }));
    service.answers.set("PATCH /api/v2/tasks/7", () => json({ title: "It has changed" }, 412));
    open("/tasks/new?edit=7");
    const save = await screen.findByRole("button", { name: "Save" });
    await waitFor(() => expect(save).toBeEnabled());
    await userEvent.type(screen.getByLabelText("Name"), "er");
    await waitFor(() => expect(save).toBeEnabled());
    await userEvent.click(save);
    expect(await screen.findByText(/Somebody changed this task/)).toBeInTheDocument();
    expect(screen.getByText(/theirs old, yours older/)).toBeInTheDocument();
    service.answers.set("PATCH /api/v2/tasks/7", () => json({ ...task, name: "older" }));
    await userEvent.click(screen.getByRole("button", { name: "Save yours over theirs" }));
    expect(await screen.findByText("The task's page")).toBeInTheDocument();
  });
});

describe("a task that is edited, and deleted elsewhere", () => {
  const task = { id: 7, name: "old", status: "pending", config: { ...DOCUMENT, name: "old" } };
  const gone = () => json({ title: "Not found", detail: "there is no task 7" }, 404);

  it("becomes a new one", async () => {
    service.answers.set("GET /api/v2/tasks/7", () => json(task, 200, { ETag: '"1"' }));
    service.answers.set("PATCH /api/v2/tasks/7", gone);
    open("/tasks/new?edit=7");
    const save = await screen.findByRole("button", { name: "Save" });
    await waitFor(() => expect(save).toBeEnabled());
    await userEvent.click(save);
    await userEvent.click(await screen.findByRole("button", { name: "Make a new task of it" }));
    expect(await screen.findByText("The task's page")).toBeInTheDocument();
    expect(created()[0]?.body).toMatchObject({ name: "old" });
  });

  it("leaves what was typed", async () => {
    service.answers.set("GET /api/v2/tasks/7", () => json(task, 200, { ETag: '"1"' }));
    const first = open("/tasks/new?edit=7");
    const name = await screen.findByLabelText("Name");
    await userEvent.clear(name);
    await userEvent.type(name, "mine");
    first.unmount();
    service.answers.set("GET /api/v2/tasks/7", gone);
    open("/tasks/new?edit=7");
    expect(await screen.findByText(/Task 7 has been deleted/)).toBeInTheDocument();
    expect(screen.getByLabelText("Name")).toHaveValue("mine");
  });
});

describe("Advanced", () => {
  it("changes the same document, field by field", async () => {
    open("/tasks/new?mode=advanced&tab=scheduling");
    await userEvent.click(await screen.findByRole("radio", { name: "Fixed" }));
    const input = await screen.findByRole("textbox", { name: "Max running requests" });
    expect(input).toHaveValue("4");
    await userEvent.clear(input);
    await userEvent.type(input, "12");
    const button = await startButton();
    await waitFor(() => expect(button).toBeEnabled());
    await userEvent.click(button);
    await waitFor(() =>
      expect(created()[0]?.body).toMatchObject({ scheduling: { max_running_requests: 12 } }),
    );
  });

  it("sends nothing beside a field whose text is no value, and says so of the plan", async () => {
    open("/tasks/new?mode=advanced&tab=scheduling");
    await userEvent.click(await screen.findByRole("radio", { name: "Fixed" }));
    const input = await screen.findByRole("textbox", { name: "Max running requests" });
    const button = await startButton();
    await waitFor(() => expect(button).toBeEnabled());
    await userEvent.type(input, "x");
    expect(button).toBeDisabled();
    await userEvent.click(screen.getByText("Plan"));
    expect(await screen.findByText(LAST_VALID)).toBeVisible();
    await userEvent.type(input, "{Backspace}");
    await waitFor(() => expect(button).toBeEnabled());
    expect(screen.queryByText(LAST_VALID)).toBeNull();
  });

  it("shows a fault at its field", async () => {
    answer(
      "/tasks/validate",
      {
        valid: false,
        errors: [{ path: "scheduling.max_running_requests[1]", message: "is below 1" }],
        warnings: [],
        candidates: null,
        content_id: null,
      },
      "POST",
    );
    open("/tasks/new?mode=advanced&tab=scheduling");
    expect(await screen.findByText("is below 1")).toBeInTheDocument();
    expect(await startButton()).toBeDisabled();
  });

  it("takes a value back to what applies without it", async () => {
    open("/tasks/new?mode=advanced&tab=scheduling");
    await userEvent.click(
      await screen.findByRole("button", { name: "Take back Max running requests" }),
    );
    expect(await screen.findByText("Engine")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(
      await screen.findByRole("button", { name: "Take back Max running requests" }),
    ).toBeInTheDocument();
  });
});
