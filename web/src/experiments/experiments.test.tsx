import "~/task/testing-service";

import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { aWholeTask, openPage } from "~/task/testing-page";
import { anExperiment } from "./testing-experiments";

const items = [
  anExperiment({ index: 1, settings: { "misc.threads": 1 }, actual_throughput_tok_s: 100 }),
  anExperiment({ index: 2, settings: { "misc.threads": 2 }, actual_throughput_tok_s: 150 }),
  anExperiment({
    index: 3,
    settings: { "misc.threads": 4 },
    status: "failed",
    failure_kind: "out_of_memory",
    failure_message: "no room",
  }),
];

function open(query = "") {
  openPage(`/tasks/1/experiments${query}`, {
    "tasks/1": aWholeTask(),
    "tasks/1/experiments": { items, next_cursor: null },
  });
}

const shown = () =>
  screen.getAllByRole("link", { name: /^Experiment \d/ }).map((link) => link.textContent);

describe("the list of experiments", () => {
  it("has the differing settings as columns and is sorted by any of them", async () => {
    open();
    await userEvent.click(await screen.findByRole("button", { name: "tok/s" }));
    await userEvent.click(screen.getByRole("button", { name: "tok/s" }));
    expect(shown()).toEqual(["2", "1", "3"]);
    expect(screen.getByRole("columnheader", { name: "tok/s" })).toHaveAttribute(
      "aria-sort",
      "descending",
    );
    expect(screen.getByRole("columnheader", { name: "threads" })).toBeVisible();
  });

  it("shows what the address asks for", async () => {
    open(`?status=${encodeURIComponent('["failed"]')}`);
    expect(await screen.findByText("1 of 3 experiments")).toBeVisible();
    expect(shown()).toEqual(["3"]);
  });

  it("is searched, and says where nothing matches", async () => {
    open();
    await userEvent.type(await screen.findByRole("searchbox"), "no such thing");
    expect(await screen.findByText("No experiment matches")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Show all" }));
    expect(shown()).toEqual(["1", "2", "3"]);
  });

  it("puts marked ones side by side, against the first", async () => {
    open();
    await userEvent.click(await screen.findByRole("checkbox", { name: "Mark experiment 1" }));
    await userEvent.click(await screen.findByRole("checkbox", { name: "Mark experiment 2" }));
    await userEvent.click(await screen.findByRole("button", { name: "Side by side (2)" }));
    const region = await screen.findByRole("region", { name: "Side by side" });
    expect(within(region).getByText("+50 % better")).toBeVisible();
    await userEvent.click(within(region).getByRole("button", { name: "Use as baseline" }));
    expect(await within(region).findByText("−33.3 % worse")).toBeVisible();
  });

  it("keeps the chosen columns", async () => {
    open();
    await userEvent.click(await screen.findByRole("button", { name: "Columns" }));
    await userEvent.click(await screen.findByLabelText("Candidate"));
    expect(await screen.findByRole("columnheader", { name: "Candidate" })).toBeVisible();
    expect(localStorage.getItem("autotuner-experiment-columns")).toContain("candidate_id");
  });
});

describe("one experiment", () => {
  it("shows why it failed, what helps, and the end of its log", async () => {
    openPage("/tasks/1/experiments/3", {
      "tasks/1": aWholeTask(),
      "tasks/1/experiments/3": {
        ...items[2],
        predictions: [],
        failure: { kind: "out_of_memory", message: "no room", log_tail: "allocating\nfailed" },
      },
      "tasks/1/experiments/3/measurements": { items: [] },
      "catalog/failures": {
        items: [{ kind: "out_of_memory", remedy: "Lower what runs at once." }],
      },
    });
    const alert = await screen.findByRole("alert");
    expect(within(alert).getByText("Out of memory")).toBeVisible();
    expect(within(alert).getByLabelText("Last lines of the log")).toHaveTextContent("allocating");
    expect(await within(alert).findByText("Lower what runs at once.")).toBeVisible();
  });

  it("has its levels with what was predicted, and their spread on request", async () => {
    const spread = {
      count: 8,
      mean: 20,
      std: 1,
      min: 10,
      p50: 19,
      p90: 30,
      p95: 31,
      p99: 32,
      max: 33,
      ci95: 2,
    };
    const load = { kind: "concurrency", value: 8 };
    openPage("/tasks/1/experiments/1", {
      "tasks/1": aWholeTask(),
      "tasks/1/experiments/1": {
        ...items[0],
        failure: null,
        predictions: [
          { load, measured: null, base: { ttft_ms: 22, tpot_ms: 3, tok_s: 110 }, calibrated: null },
        ],
      },
      "tasks/1/experiments/1/measurements": {
        items: [
          {
            load,
            repeat: 0,
            tok_s: 100,
            requests_s: 4,
            requests_completed: 8,
            requests_failed: 0,
            requests_short: 0,
            ttft_ms: spread,
            tpot_ms: null,
            itl_ms: null,
            e2e_ms: spread,
            errors: {},
            input_tokens: 512,
            output_tokens: 128,
            tool: "autotuner",
            client_cpu_share: 0.1,
            saturated: false,
            client_bottleneck: false,
            machine: null,
            ended_by: "requests",
            note: "",
          },
        ],
      },
    });
    const toggle = await screen.findByRole("button", { name: "8\u00a0in\u00a0flight" });
    expect(screen.getByText("predicted 110 (+10 %)")).toBeVisible();
    expect(screen.queryByText("p99")).toBeNull();
    await userEvent.click(toggle);
    expect(await screen.findByText("p99")).toBeVisible();
    expect(screen.getByRole("img", { name: /^TTFT: 10\u00a0ms to 33\u00a0ms/ })).toBeVisible();
  });
});
