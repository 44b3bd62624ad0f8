/** The frontier read at the value that the reader asks for. */

import { toPlace } from "~/charts/scale";
import type { Plane } from "./axes";
import type { Frontiers } from "./scene";
import { type ValueAt, valueAt } from "./value-at";

export interface Reading {
  /** Place on x. */
  x: number;
  found: ValueAt;
  /** Whose frontier it is: the predicted one is read only while nothing is measured. */
  kind: "measured" | "predicted";
}

export function readingAt(plane: Plane, frontiers: Frontiers, at: number | null): Reading | null {
  if (at === null) return null;
  const kind = frontiers.measured.length > 0 ? "measured" : "predicted";
  const x = toPlace(at, plane.logX);
  const found = valueAt(frontiers[kind], plane.xs, plane.ys, x, plane.x.better);
  return found === null ? null : { x, found, kind };
}
