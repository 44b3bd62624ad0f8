/** Comparisons for tests. */

import type { ComparedPair } from "~/api/verify";

export function aPair(given: Partial<ComparedPair> = {}): ComparedPair {
  return {
    model: "llama-3-1-8b",
    engine: "vllm",
    system: "h100_sxm",
    candidate: null,
    layout: "tp4",
    gpus: 4,
    isl: 1024,
    osl: 512,
    load: { kind: "concurrency", value: 8 },
    figures: { ttft: { predicted: 120, actual: 100, error: 20 } },
    unlike: [],
    predicted_source: "line 2",
    actual_source: "line 3",
    ...given,
  };
}
