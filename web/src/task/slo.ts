/** Figures of a point against the limits of its task. */

import type { Figure } from "~/api/results";
import type { Quantity } from "~/ui/quantities";
import { range } from "~/ui/range";

/** The interval of a figure: "78 to 91 ms", "at least 78 ms"; null where there is none. */
export function interval(quantity: Quantity, figure: Figure | null | undefined): string | null {
  if (!figure) return null;
  const { low = null, high = null } = figure;
  if (low !== null && high !== null) return range(quantity.format(low), quantity.format(high));
  if (low !== null) return `at least ${quantity.format(low)}`;
  return high === null ? null : `at most ${quantity.format(high)}`;
}

const TARGETS: Readonly<Record<string, string>> = {
  ttft_ms: "ttft_target",
  tpot_ms: "tpot_target",
};

/** The limits of a task in ms; targets of its runtime count where `slo` leaves them out. */
export function limitsOf(document: Readonly<Record<string, unknown>>): Record<string, number> {
  const slo = (document.slo ?? {}) as Record<string, unknown>;
  const runtime = (document.runtime ?? {}) as Record<string, unknown>;
  const limits: Record<string, number> = {};
  for (const name of new Set([...Object.keys(TARGETS), ...Object.keys(slo)])) {
    const target = TARGETS[name];
    const limit = slo[name] ?? (target === undefined ? undefined : runtime[target]);
    if (typeof limit === "number") limits[name] = limit;
  }
  return limits;
}
