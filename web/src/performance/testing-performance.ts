/** Explained points for tests. */

import type {
  ExpectedChange,
  Latency,
  LearntRate,
  Performance,
  PerformancePart,
} from "~/api/performance";

export const aRate = (given: Partial<LearntRate> = {}): LearntRate => ({
  ...{ value: 3438, low: 2643, high: 4472, unit: "GB/s", peak: 7700 },
  ...{ share: 0.446, share_low: 0.343, share_high: 0.581, beyond_peak: false },
  ...given,
});

export const aPart = (given: Partial<PerformancePart> = {}): PerformancePart => ({
  part: "kv_read:fp8",
  what: "reading the KV cache (fp8)",
  limit: "memory bandwidth",
  ...{ ttft_ms: 0, ttft_share: 0, tpot_ms: 10.2, tpot_share: 0.33 },
  assumed: "80 % of 7700 GB/s",
  ...{ factor: 1.79, factor_low: 1.38, factor_high: 2.33 },
  learnt: true,
  confused_with: [],
  rate: aRate(),
  ...given,
});

export const aLatency = (given: Partial<Latency> = {}): Latency => ({
  quantity: "tpot_ms",
  ...{ value_ms: 30.7, roofline_ms: 24.1, learnt_ms: 31.1 },
  ...{ learnt_low_ms: 23.5, learnt_high_ms: 41.2 },
  limits: { "memory bandwidth": 0.6, overhead: 0.4 },
  ...given,
});

export const aChange = (given: Partial<ExpectedChange> = {}): ExpectedChange => ({
  changes: { "misc.threads": 2 },
  now: { "misc.threads": 1 },
  parts: [],
  candidate: "70d79c75c38e",
  ...{ gpus: 1, gpus_now: 1, clear: true, in_task: false },
  ttft_ms: { before: 100, after: 90, low: 80, high: 100 },
  tpot_ms: null,
  tok_s: { before: 100, after: 133, low: 102, high: 173 },
  tok_s_per_gpu: { before: 100, after: 133, low: 102, high: 173 },
  measured_tok_s: null,
  note: "",
  ...given,
});

export const aPerformance = (given: Partial<Performance> = {}): Performance => ({
  ...{ task: 1, name: "chat", candidate: "1881c092359e", settings: {} },
  load: { kind: "concurrency", value: 8 },
  chosen: "the best balance",
  ...{ model: "m", engine: "vllm", device: "h100_sxm", on_cpu: false, isl: 512, osl: 64 },
  ...{ measured: true, launches: 3, earlier_launches: 1, points: 9 },
  latencies: [aLatency()],
  parts: [aPart(), aPart({ part: "tiny", what: "something tiny", tpot_share: 0.001 })],
  helps: [aChange()],
  did_not_help: [],
  no_setting: [],
  machine: [],
  notes: [],
  ...given,
});
