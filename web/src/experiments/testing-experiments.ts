/** Experiments for tests: whatever a test does not speak of is as of one that was completed. */

import type { Experiment } from "~/api/experiments";

export function anExperiment(given: Partial<Experiment> = {}): Experiment {
  const index = given.index ?? 1;
  return {
    index,
    candidate_id: `candidate-${index}`,
    status: "completed",
    phase: "",
    selection_reason: "",
    settings: {},
    command: "llama-server",
    unserved: null,
    failure_kind: null,
    failure_message: null,
    unpredicted: null,
    cut_short: null,
    startup_s: 1,
    measure_s: 2,
    lost_s: 0,
    began_s: 0,
    started_at: "2026-11-26T10:00:00Z",
    ended_at: "2026-11-26T10:01:00Z",
    predicted_throughput_tok_s: null,
    predicted_ttft_ms: null,
    predicted_tpot_ms: null,
    predicted_latency_p90_ms: null,
    actual_throughput_tok_s: null,
    actual_ttft_ms: null,
    actual_tpot_ms: null,
    actual_latency_p90_ms: null,
    is_on_predicted_frontier: false,
    is_on_actual_frontier: false,
    ...given,
  } as Experiment;
}
