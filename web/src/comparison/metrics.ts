/** Quantities of comparisons: a file of their own, which addresses need before any page. */

export const METRICS = ["ttft_ms", "tpot_ms", "tok_s"] as const;
export type Metric = (typeof METRICS)[number];
