/** How many points of a series are within limits. */

import { type Limits, meetingMask } from "~/explorer/slo";
import { count } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import type { Series } from "./series";

/**
 * "3 within the SLO", or what no point of the series states: of that nothing is within or beyond.
 *
 * @param areOwn whether the reader set the limits.
 */
export function meetingInWords(
  { points }: Pick<Series, "points">,
  limits: Limits,
  areOwn: boolean,
): string {
  const unstated = Object.keys(limits).filter((name) => !points.has(name));
  if (unstated.length > 0) {
    return `does not state ${unstated.map((name) => quantity(name).short).join(" and ")}`;
  }
  const meeting = meetingMask(points, limits).reduce((sum, one) => sum + one, 0);
  return `${count(meeting)} within ${areOwn ? "these limits" : "the SLO"}`;
}
