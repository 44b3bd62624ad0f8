/** Points in words. */

import type { OperatingPoint } from "~/api/points";
import { fieldName, load, setting } from "~/ui/format";

/** Short name of a point: "#3 at 8 in flight", "Predicted, 8 in flight". */
export function pointName(point: OperatingPoint): string {
  const where = load(point.load);
  if (point.kind === "predicted") {
    const of =
      point.experiment_index === null ? "Predicted" : `Predicted #${point.experiment_index}`;
    return `${of} at ${where}`;
  }
  return `#${point.experiment_index} at ${where}`;
}

const LONGEST = 60;

/** Settings that tell a point from others: "tensor parallel 2, max running requests 64". */
export function settingsInWords(
  point: OperatingPoint,
  varying: readonly string[],
  most = 6,
): string {
  const parts = varying.slice(0, most).map((name) => {
    const text = setting(point.settings[name]);
    const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
    return `${fieldName(name)} ${short}`;
  });
  const left = varying.length - parts.length;
  return left > 0 ? `${parts.join(", ")} and ${left} more` : parts.join(", ");
}
