/** The quantities that points have: names, units, and which way is better. */

import { withUnit as joined, milliseconds, number, usd } from "./format";

export interface Quantity {
  /** Key among a point's figures. */
  key: string;
  title: string;
  short: string;
  unit: string;
  better: "higher" | "lower";
  format: (value: number | null | undefined) => string;
}

const rate = (value: number | null | undefined) => number(value);

export const QUANTITIES: readonly Quantity[] = [
  {
    key: "tok_s_per_gpu",
    title: "Throughput per GPU",
    short: "tok/s/GPU",
    unit: "tok/s/GPU",
    better: "higher",
    format: rate,
  },
  {
    key: "tok_s_per_user",
    title: "Speed per user",
    short: "tok/s/user",
    unit: "tok/s/user",
    better: "higher",
    format: rate,
  },
  {
    key: "tok_s",
    title: "Throughput",
    short: "tok/s",
    unit: "tok/s",
    better: "higher",
    format: rate,
  },
  {
    key: "requests_per_s",
    title: "Requests",
    short: "requests/s",
    unit: "requests/s",
    better: "higher",
    format: rate,
  },
  {
    key: "requests_per_s_per_gpu",
    title: "Requests per GPU",
    short: "requests/s/GPU",
    unit: "requests/s/GPU",
    better: "higher",
    format: rate,
  },
  {
    key: "ttft_ms",
    title: "Time to first token, mean",
    short: "TTFT",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "ttft_p50_ms",
    title: "Time to first token, p50",
    short: "TTFT p50",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "ttft_p90_ms",
    title: "Time to first token, p90",
    short: "TTFT p90",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "ttft_p99_ms",
    title: "Time to first token, p99",
    short: "TTFT p99",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "tpot_ms",
    title: "Time per output token, mean",
    short: "TPOT",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "tpot_p50_ms",
    title: "Time per output token, p50",
    short: "TPOT p50",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "tpot_p90_ms",
    title: "Time per output token, p90",
    short: "TPOT p90",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "tpot_p99_ms",
    title: "Time per output token, p99",
    short: "TPOT p99",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "e2e_p50_ms",
    title: "End-to-end latency, p50",
    short: "E2E p50",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "e2e_p90_ms",
    title: "End-to-end latency, p90",
    short: "E2E p90",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "e2e_p99_ms",
    title: "End-to-end latency, p99",
    short: "E2E p99",
    unit: "ms",
    better: "lower",
    format: milliseconds,
  },
  {
    key: "usd_per_million_tokens",
    title: "Cost per million output tokens",
    short: "USD/M tokens",
    unit: "USD",
    better: "lower",
    format: usd,
  },
  {
    key: "usd_per_million_input_tokens",
    title: "Cost per million input tokens",
    short: "USD/M input",
    unit: "USD",
    better: "lower",
    format: usd,
  },
  {
    key: "usd_per_million_total_tokens",
    title: "Cost per million tokens, input and output",
    short: "USD/M total",
    unit: "USD",
    better: "lower",
    format: usd,
  },
  {
    key: "joules_per_output_token",
    title: "Energy per output token",
    short: "J/token",
    unit: "J/token",
    better: "lower",
    format: rate,
  },
];

const BY_KEY = new Map(QUANTITIES.map((quantity) => [quantity.key, quantity]));

export function quantity(key: string): Quantity {
  const found = BY_KEY.get(key);
  if (found) return found;
  return { key, title: key, short: key, unit: "", better: "higher", format: rate };
}

/** The unit that a value is written with; empty where its text has one: "83.1 ms", "$1.36". */
export function unitBeside({ unit }: Quantity): string {
  return unit === "ms" || unit === "USD" ? "" : unit;
}

/** A figure with its unit, for where no axis gives it. */
export function withUnit(quantity: Quantity, value: number | null | undefined): string {
  const text = quantity.format(value);
  const unit = unitBeside(quantity);
  return value === null || value === undefined || unit === "" ? text : joined(text, unit);
}
