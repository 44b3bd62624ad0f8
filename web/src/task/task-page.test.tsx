import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { anExperiment } from "~/experiments/testing-experiments";
import { aWholeTask, openPage } from "./testing-page";
import { problem, sendEvent, sendLines } from "./testing-service";

const NO_EXPERIMENTS = { items: [], next_cursor: null };
const POINT = {
  experiment: "c2",
  load: { kind: "concurrency", value: 8 },
  tok_s: 80,
  tok_s_per_gpu: 80,
  tok_s_per_user: 12,
  requests_per_s: 5,
  requests_per_s_per_gpu: 5,
  ttft_ms: 112,
  tpot_ms: 9,
  e2e_p90_ms: 400,
  usd_per_million_tokens: null,
  verdicts: { ttft_ms: "misses" },
  settings: { "misc.threads": 2 },
  command: "llama-server --threads 2",
  sample_request: "curl http://127.0.0.1:8080/v1/chat/completions",
  reason: "no operating point meets the SLO; this one comes nearest: TTFT is 12% over its limit",
  meets_slo: false,
};

function overview(task = aWholeTask(), more: Record<string, unknown> = {}) {
  openPage("/tasks/1", {
    "tasks/1": task,
    "tasks/1/experiments": NO_EXPERIMENTS,
    "tasks/1/frontier": { objectives: [], actual: [], predicted: null, recommended: null },
    ...more,
  });
}

describe("the page of a task", () => {
  it("says that it has been deleted elsewhere, as it happens", async () => {
    const task = aWholeTask();
    let isThere = true;
    const gone = problem(404, "Not found", "there is no task 1");
    overview(task, { "tasks/1": () => (isThere ? Response.json(task) : gone()) });
    expect(await screen.findByRole("heading", { name: task.name })).toBeVisible();
    isThere = false;
    act(() => sendEvent({ id: 9, task_id: 1, kind: "task_deleted", payload: {}, task: null }));
    expect(await screen.findByText("There is no task 1")).toBeVisible();
    expect(screen.getByText(/has been deleted/)).toBeVisible();
  });
});

describe("the overview of a task", () => {
  it("has the recommended point beside the baseline, with how sure the difference is", async () => {
    const figure = {
      ...{ quantity: "tok_s_per_gpu", name: "tok/s/GPU", recommended: 80, baseline: 50 },
      ...{ ratio: 1.6, low: 1.3, high: 1.9, probability_better: 0.993, settled: "unclear" },
      ...{ change: "+60 %", interval: "+30 % to +90 %", certainty: "better with 99.3 %" },
    };
    const level = { kind: "concurrency", value: 8 };
    const baseline = {
      ...{ kind: "defaults", name: "the engine's defaults", candidate: "c1", index: 1 },
      ...{ status: "completed", reason: "", failure: null, launches: 1, caveat: "Launched once." },
      headline: "tok/s/GPU +60 % against the engine's defaults",
      within_slo: null,
      same_load: {
        ...{ load: level, baseline_load: level, baseline_meets_slo: null },
        ...{ figures: [figure], title: "both at 8 concurrent requests" },
      },
      changes: [{ field: "misc.threads", name: "threads", baseline: null, recommended: 2 }],
    };
    overview(aWholeTask(), {
      "tasks/1/frontier": {
        ...{ objectives: [], actual: [], predicted: null, recommended: POINT, baseline },
      },
    });
    const card = await screen.findByRole("region", { name: "Against the engine's defaults" });
    expect(within(card).getByRole("row", { name: /\+60 %.*99\.3 %/ })).toBeVisible();
    expect(within(card).getByText("Both at 8 concurrent requests.")).toBeVisible();
    expect(within(card).getByText(/threads default → 2/)).toBeVisible();
    expect(within(card).getByText("Launched once.")).toBeVisible();
  });

  it("says whether further launches confirm the recommended point", async () => {
    const rival = {
      ...{ index: 4, candidate: "c4", load: { kind: "concurrency", value: 8 }, launches: 1 },
      ...{ is_baseline: false, is_best_measured: false, settled: "unclear", ratio: 1.03 },
      ...{ low: 0.96, high: 1.11, probability_better: 0.88, name: "launch 4 at 8" },
      ...{ change: "+3.2 %", interval: "-4.1 % to +11 %", certainty: "better with 88 %" },
    };
    const confirmation = {
      ...{ status: "not_settled", headline: "not settled after 3 further launches" },
      ...{ planned: 3, made: 3, recommended_launches: 2, probability_best: 0.87, scatter: 0.02 },
      ...{ drift: null, moved_from: null, launches: [], contenders: [rival] },
      notes: ["launches differ by about 2.1 %"],
    };
    const recommended = { ...POINT, probability_on_frontier: 0.874 };
    overview(aWholeTask(), {
      "tasks/1/frontier": {
        ...{ objectives: [], actual: [], predicted: null, recommended, confirmation },
      },
    });
    const card = await screen.findByRole("region", { name: "Confirmation" });
    expect(within(card).getByText("not settled")).toBeVisible();
    expect(within(card).getByText("Not settled after 3 further launches.")).toBeVisible();
    expect(within(card).getByRole("row", { name: /launch 4 at 8.*\+3\.2 %.*88 %/ })).toBeVisible();
    expect(within(card).getByText("Launches differ by about 2.1 %.")).toBeVisible();
    expect(screen.getByText(/With 87 %, no other candidate is better/)).toBeVisible();
  });

  it("says why nothing meets the SLO: the nearest point, and what relaxing a limit gains", async () => {
    const step = (limit: number, points: number) => ({
      ...{ limits: { ttft_ms: limit }, points, candidates: 1 },
      best: { objective: 95 },
    });
    const limit = { name: "ttft_ms", limit_ms: 100, relaxed: [step(110, 2), step(150, 6)] };
    const measured = { kind: "measured", limits: [limit], binding: "ttft_ms", factor: 1.1 };
    const lead =
      "None of 9 measured points meets the SLO. The nearest has TTFT 112 ms (12 % over).";
    overview(aWholeTask(), {
      "tasks/1/frontier": { objectives: [], actual: [], predicted: null, recommended: POINT },
      "tasks/1/why": {
        ...{ lead, unit: "tok/s/GPU", predicted: null, exclusions: null, notes: [] },
        measured: { ...measured, at_factor: null },
      },
    });
    const alert = await screen.findByRole("alert", { name: "Nothing meets the SLO" });
    expect(await within(alert).findByText(lead)).toBeVisible();
    const [further, ...others] = within(alert).getAllByRole("listitem");
    expect(others).toHaveLength(0);
    expect(further).toHaveTextContent(
      /^TTFT 100\sms → 150\sms: 6 points of 1 candidate, the best 95 tok\/s\/GPU$/,
    );
    const link = within(alert).getByRole("link", { name: /in the Explorer$/ });
    expect(link).toHaveAttribute("href", "/tasks/1/explorer");
  });

  it("says which rules exclude everything, where nothing was launched", async () => {
    const rule = { name: "the weights fit", breaking: 4, alone: 4, ways: [{ text: "2 GPUs fit" }] };
    const experiments = { total: 0, running: 0, completed: 0, failed: 0 } as never;
    overview(aWholeTask({ status: "failed", experiments }), {
      "tasks/1/why": {
        ...{ lead: "All 4 combinations are excluded", unit: "tok/s", measured: null },
        ...{ predicted: null, notes: [] },
        exclusions: { combinations: 4, candidates: 0, rules: [rule] },
      },
    });
    const alert = await screen.findByRole("alert", { name: "Every combination is excluded" });
    expect(within(alert).getByText("All 4 combinations are excluded.")).toBeVisible();
    expect(within(alert).getByText("the weights fit: 4 of 4 do not; 2 GPUs fit")).toBeVisible();
  });

  it("gives the recommended point with its command, and how far it is from the SLO", async () => {
    const config = { ...aWholeTask().config, slo: { ttft_ms: 100 } } as never;
    overview(aWholeTask({ config }), {
      "tasks/1/frontier": { objectives: [], actual: [], predicted: null, recommended: POINT },
      "tasks/1/points": {
        items: [],
        recommended_id: "2:concurrency:8",
        recommended: {
          id: "2:concurrency:8",
          experiment_index: 2,
          figures: { ttft_ms: { value: 112, low: 105, high: 119 } },
          note: "other processes used the machine or the load generator was late",
        },
      },
    });
    expect(await screen.findByText("Nothing meets the SLO")).toBeVisible();
    expect(screen.getByText(/TTFT is 12% over its limit/)).toBeVisible();
    expect(screen.getByLabelText("Command that serves it")).toHaveTextContent(
      "llama-server --threads 2",
    );
    expect(screen.getByLabelText("Sample request")).toHaveTextContent(
      "curl http://127.0.0.1:8080/v1/chat/completions",
    );
    expect(screen.getByText(/^Until the model is loaded, the engine answers 503/)).toBeVisible();
    expect(screen.getByText("limit 100 ms")).toBeVisible();
    expect(screen.getByText("Misses")).toBeVisible();
    expect(await screen.findByText("95 %: 105 to 119 ms")).toBeVisible();
    expect(screen.getByText(/^Other processes used the machine/)).toBeVisible();
    expect(screen.getByRole("link", { name: "Experiment 2" })).toHaveAttribute(
      "href",
      "/tasks/1/experiments/2",
    );
  });

  it("warns above a command that does not serve what was measured", async () => {
    const unserved = "trtllm cannot express quantization.gemm_mode=nvfp4";
    overview(aWholeTask(), {
      "tasks/1/frontier": {
        objectives: [],
        actual: [],
        predicted: null,
        recommended: { ...POINT, unserved },
      },
    });
    const warning = await screen.findByText("This does not serve what was measured");
    expect(warning).toBeVisible();
    expect(screen.getByText(unserved)).toBeVisible();
    const command = screen.getByLabelText("Command that serves it");
    expect(warning.compareDocumentPosition(command)).toBe(Node.DOCUMENT_POSITION_FOLLOWING);
  });

  it("says how a command is started that was measured in a container", async () => {
    const config = { ...aWholeTask().config, deployment_mode: "docker" } as never;
    overview(aWholeTask({ config }), {
      "tasks/1/frontier": { objectives: [], actual: [], predicted: null, recommended: POINT },
    });
    expect(await screen.findByText(/^It was measured in a container/)).toHaveTextContent(
      "which the script of Deploy…, format Docker command, starts",
    );
  });

  it("says why a queued task waits, and what helps", async () => {
    const waiting = {
      position: 2,
      reason: "no worker is running",
      remedy: "start one with `autotuner worker`",
    };
    overview(aWholeTask({ status: "queued", waiting }));
    expect(await screen.findByText("Queued, number 2 in turn")).toBeVisible();
    expect(screen.getByText(/^No worker is running. Start one with/)).toHaveTextContent(
      "No worker is running. Start one with autotuner worker.",
    );
  });

  it("groups failures with a remedy and the launches they are of", async () => {
    const failed = {
      status: "failed",
      failure_kind: "out_of_memory",
      failure_message: "no room",
    } as const;
    overview(aWholeTask(), {
      "tasks/1/experiments": {
        items: [
          anExperiment(),
          anExperiment({ index: 2, ...failed }),
          anExperiment({ index: 3, ...failed }),
        ],
        next_cursor: null,
      },
    });
    const card = await screen.findByRole("region", { name: "2 launches failed" });
    expect(within(card).getByText("Out of memory")).toBeVisible();
    expect(within(card).getByText("No room.")).toBeVisible();
    expect(within(card).getByRole("link", { name: "#3" })).toBeVisible();
  });

  it("follows a running task by its events", async () => {
    const progress = {
      experiments_running: 1,
      experiments_completed: 1,
      experiments_failed: 0,
      launches: 4,
      further_launches: 1,
    };
    const past = { id: 5, task_id: 1, at: "", kind: "experiment_started", payload: { index: 2 } };
    overview(aWholeTask({ status: "running", ended_at: null, progress }), {
      "tasks/1/events": `id: 5\ndata: ${JSON.stringify(past)}\n\n`,
    });
    expect(await screen.findByText("Launch 2 of 4: loading the engine")).toBeVisible();
    const payload = {
      index: 2,
      load: { kind: "concurrency", value: 8 },
      completed: 5,
      wanted: 12,
      left_s: null,
    };
    act(() => sendEvent({ id: 6, task_id: 1, at: "", kind: "level_progress", payload }));
    expect(
      await screen.findByText("Launch 2 of 4: level 8 in flight, 5 of 12 requests"),
    ).toBeVisible();
    act(() => sendEvent({ id: 7, task_id: 2, at: "", kind: "level_progress", payload }));
    expect(screen.getByText("2 of at most 4 launches finished")).toBeVisible();
  });

  it("says that a task has been deleted", async () => {
    openPage("/tasks/7", { "tasks/7": problem(404, "Not found", "there is no task 7") });
    expect(await screen.findByText("There is no task 7")).toBeVisible();
  });

  it("says why an export is refused, and saves nothing", async () => {
    overview(aWholeTask(), {
      "tasks/1/export/frontier": problem(409, "Nothing to export", "the task has no frontier yet"),
    });
    await userEvent.click(await screen.findByRole("button", { name: "Shell script" }));
    expect(await screen.findByText("The task has no frontier yet.")).toBeVisible();
  });
});

describe("the search of a task", () => {
  it("has each launch in its order, why it was chosen, and what it added", async () => {
    const step = { phase: "", failed: false, frontier_points: 2, in_vain: false };
    openPage("/tasks/1/search", {
      "tasks/1": aWholeTask(),
      "tasks/1/experiments": {
        items: [
          anExperiment({
            index: 1,
            selection_reason: "the first of the grid",
            settings: { "misc.threads": 1 },
          }),
          anExperiment({
            index: 2,
            selection_reason: "the next one",
            settings: { "misc.threads": 2 },
          }),
        ],
        next_cursor: null,
      },
      "tasks/1/search": {
        measure: "hypervolume",
        launches: [
          { ...step, experiment: "a", index: 1, reason: "", value: 0.6, added: 0.6 },
          { ...step, experiment: "b", index: 2, reason: "", value: 1, added: 0.4 },
        ],
        predicted_frontier: [],
      },
    });
    const second = await screen.findByRole("article", { name: "Launch 2" });
    expect(within(second).getByText("the next one")).toBeVisible();
    expect(within(second).getByText("+40 %")).toBeVisible();
    expect(screen.getByText("Strategy: grid")).toBeVisible();
    const launches = screen.getAllByRole("article").map((one) => one.getAttribute("aria-label"));
    expect(launches).toEqual(["Launch 1", "Launch 2"]);
  });
});

describe("the log of a task", () => {
  it("is searched, and the number of matches is said", async () => {
    openPage("/tasks/1/log", {
      "tasks/1": aWholeTask(),
      "tasks/1/logs/task": "INFO started\nINFO launch 1\nWARNING launch 1 failed\n",
    });
    await userEvent.type(await screen.findByRole("searchbox"), "launch");
    expect(await screen.findByText("2 matches")).toBeVisible();
    await userEvent.keyboard("{Enter}");
    expect(await screen.findByText("1 of 2")).toBeVisible();
  });

  it("of the engine grows line by line", async () => {
    openPage("/tasks/1/log?of=engine", { "tasks/1": aWholeTask() });
    expect(await screen.findByText("Live")).toBeVisible();
    act(() => sendLines(["loading model", "server is listening"]));
    await waitFor(() => expect(screen.getByText("server is listening")).toBeVisible());
  });
});

describe("the configuration of a task", () => {
  it("names where each value comes from", async () => {
    openPage("/tasks/1/configuration", {
      "tasks/1": aWholeTask(),
      "tasks/1/export/yaml": "version: 2\nname: chat\n",
      "tasks/1/configuration": {
        variants: [
          {
            engine: "llamacpp",
            engine_version: "b1",
            combination: {},
            skipped: [],
            warnings: [],
            fields: {
              "misc.threads": {
                value: [1, 2],
                unset: null,
                layers: [
                  {
                    layer: "balanced",
                    origin: "profile",
                    value: 2,
                    status: "replaced",
                    why: "",
                    source: "",
                  },
                  {
                    layer: "task",
                    origin: "user",
                    value: [1, 2],
                    status: "set",
                    why: "",
                    source: "",
                  },
                ],
              },
            },
          },
        ],
      },
    });
    const row = (await screen.findByText("threads")).closest("tr") as HTMLElement;
    expect(within(row).getByText("1, 2")).toBeVisible();
    expect(within(row).getByText("searched")).toBeVisible();
    expect(within(row).getByText("Task", { exact: false })).toBeVisible();
    expect(await screen.findByText("version")).toBeVisible();
  });
});
