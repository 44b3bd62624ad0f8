/** Recommendations by prediction, for tests. */

import type { Alternative, Recommendation, RecommendedByPrediction } from "~/api/recommendation";

export const aPredictedPoint = (
  given: Partial<RecommendedByPrediction> = {},
): RecommendedByPrediction => ({
  ...{ engine: "vllm", candidate: "49f9cc822600", gpus: 2, meets_slo: true, verdict: "unclear" },
  settings: {
    ...{ "parallel.tensor_parallel": 2, "parallel.data_parallel": 1, "runtime.isl": 1000 },
    ...{ "scheduling.max_running_requests": 256, "memory.max_model_len": 1536 },
  },
  load: { kind: "concurrency", value: 128 },
  ...{ ttft_ms: 600, tpot_ms: 20, tok_s: 8000, requests_per_s: 40, e2e_ms: 4_600 },
  ...{ usd_per_million_tokens: 0.21, usd_per_million_input_tokens: 0.05 },
  usd_per_million_total_tokens: 0.04,
  intervals: { ttft_ms: [260, 1400], tpot_ms: [10, 25], tok_s: [5000, 12_000] },
  ...{ ttft_p90_ms: null, ttft_p99_ms: null, tpot_p90_ms: null, tpot_p99_ms: null },
  ...{ e2e_p90_ms: null, e2e_p99_ms: null, percentiles_from: "", members: [] },
  reason: "the highest throughput of 9 operating points that meet the SLO",
  limits: [
    {
      ...{ name: "ttft_ms", limit_ms: 800, predicted_ms: 600, interval_ms: [260, 1400] },
      ...{ verdict: "unclear", over: 0, basis: "" },
    },
  ],
  ...{ command: "vllm serve m --port 8000", unserved: null, kind: "roofline-3" },
  ...{ replicas_that_fit: 4, sample_request: "curl http://127.0.0.1:8000" },
  ...given,
});

export const anAlternative = (given: Partial<Alternative> = {}): Alternative => ({
  ...aPredictedPoint({ engine: "sglang", candidate: "87360068b531", verdict: "meets" }),
  differs: ["engine", "layout"],
  ...given,
});

export const aRecommendation = (given: Partial<Recommendation> = {}): Recommendation => ({
  ...{ model: "org/model", gpu: "h100_sxm", gpus: 8, workload: { isl: 1000, osl: 200 } },
  slo: { ttft_ms: 800 },
  usd_per_gpu_hour: 3,
  engines: [
    {
      ...{ engine: "vllm", engine_version: "1", candidates: 48, predicted: 40, out_of_memory: 8 },
      ...{ refused: 0, predictor: "roofline-3", why: "", observations: 0 },
    },
  ],
  refused: { llamacpp: "it serves GGUF files alone" },
  mixed: null,
  meets_slo: true,
  recommended: aPredictedPoint(),
  certain: null,
  alternatives: [anAlternative()],
  why_not: [],
  measuring: {
    ...{ kinds: 24, rivals: 5, first_rivals: [] },
    tasks: [
      {
        ...{ engine: "vllm", launches: 12, minutes: 40, usd: 16, load: [], load_missing: [] },
        commands: ["autotuner init", "autotuner tune"],
      },
    ],
  },
  warnings: [],
  seconds: 2,
  ...given,
});
