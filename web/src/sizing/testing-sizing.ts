/** Answers to how many, for tests. */

import type { Deployment, Sizing } from "~/api/sizing";

export const aDeployment = (given: Partial<Deployment> = {}): Deployment => ({
  ...{ gpu: "h100_sxm", engine: "vllm", candidate: "70d79c75c38e", is_baseline: false },
  settings: { "parallel.tensor_parallel": 2, "system.gpu_type": "h100_sxm" },
  ...{ replicas: 3, replicas_interval: [2, 5], gpus_per_replica: 2, gpus: 6, requests_per_s: 40 },
  capacity: {
    load: { kind: "concurrency", value: 64 },
    requests_per_s: 18.7,
    interval: [15, 23],
  },
  ...{ utilisation: 0.713, latencies_ms: { ttft_ms: 210, tpot_ms: 21.5 } },
  between: [
    { kind: "concurrency", value: 32 },
    { kind: "concurrency", value: 64 },
  ],
  ...{ usd_per_hour: 18, usd_per_million_tokens: 0.62 },
  ...{ usd_per_million_input_tokens: 0.12, usd_per_million_total_tokens: 0.1 },
  ...{ command: "vllm serve m --tensor-parallel-size 2", unserved: null },
  ...given,
});

export const aSizing = (given: Partial<Sizing> = {}): Sizing => ({
  ...{ task: "1", model: "m", source: "predicted" },
  traffic: { requests_per_s: 40, users: null, think_s: null },
  trace: null,
  slo: { ttft_ms: 1000 },
  headroom: 0.2,
  gpus: [
    {
      ...{ gpu: "h100_sxm", usd_per_gpu_hour: 3, candidates: 4, holding: 2 },
      ...{ gpus: 6, usd_per_hour: 18 },
    },
  ],
  refused: {},
  ...{ candidates: 4, holding: 2 },
  deployments: [aDeployment()],
  cheapest: aDeployment(),
  growth: [],
  nearest: null,
  notes: [],
  ...given,
});
