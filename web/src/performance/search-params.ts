/** Which point is explained, as it stands in the address. */

import type { AskedPoint } from "~/api/performance";
import type { OperatingPoint } from "~/api/points";

export type PerformanceSearch = AskedPoint;

const CANDIDATE = /^[0-9a-f]{6,64}$/;

export function performanceSearch(given: Record<string, unknown>): PerformanceSearch {
  // A candidate of digits alone is a number in an address.
  const candidate = String(given.candidate ?? "");
  const positive = (value: unknown) => {
    const number = Number(value);
    return number > 0 && number <= 1_000_000 ? number : undefined;
  };
  const concurrency = positive(given.concurrency);
  const rate = concurrency === undefined ? positive(given.rate) : undefined;
  return {
    ...(CANDIDATE.test(candidate) && { candidate }),
    ...(concurrency !== undefined && { concurrency: Math.max(1, Math.round(concurrency)) }),
    ...(rate !== undefined && { rate }),
  };
}

/** The address of a point. */
export const askedOf = ({
  candidate,
  load: { kind, value },
}: Pick<OperatingPoint, "candidate" | "load">): AskedPoint =>
  kind === "concurrency" ? { candidate, concurrency: value } : { candidate, rate: value };
