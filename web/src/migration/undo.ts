/** What taking a migration back removes, in words. */

import type { UndoneMigration } from "~/api/migrations";
import { counted } from "~/ui/format";

/** Rows by their key in the answer, in the order in which they are said. */
const ROWS: readonly (readonly [key: string, one: string, many: string])[] = [
  ["tasks", "task", "tasks"],
  ["experiments", "experiment", "experiments"],
  ["measurements", "measurement", "measurements"],
  ["observations", "observation", "observations"],
  ["profiles", "profile", "profiles"],
  ["v1_tasks", "task of version 1", "tasks of version 1"],
  ["presets", "preset of version 1", "presets of version 1"],
  ["other_rows", "other row of version 1", "other rows of version 1"],
];
const MOST_NUMBERS = 10;

/** "4 tasks, 8 experiments and 10 measurements"; "nothing" where none goes. */
export function rowsInWords(counts: Readonly<Record<string, number>>): string {
  const parts = ROWS.flatMap(([key, one, many]) => {
    const rows = counts[key] ?? 0;
    return rows > 0 ? [counted(rows, one, many)] : [];
  });
  const last = parts.pop();
  if (last === undefined) return "nothing";
  return parts.length === 0 ? last : `${parts.join(", ")} and ${last}`;
}

/** Which tasks stay, and why: "1 task stays: it was worked on here since (v1 task 1234)." */
export function leftInWords({ left }: Pick<UndoneMigration, "left">): string {
  const stay = counted(left.length, "task stays: it was", "tasks stay: they were");
  return `${stay} worked on here since (v1 ${numbered(left)}).`;
}

/** What has to be cancelled before anything goes. */
export function runningInWords({ running }: Pick<UndoneMigration, "running">): string {
  const which = numbered(running);
  const verb = running.length === 1 ? "runs: cancel it" : "run: cancel them";
  return `${which[0]?.toUpperCase()}${which.slice(1)} ${verb} first. Nothing is taken back until then.`;
}

/** Numbers are names here, not amounts. */
function numbered(ids: readonly number[]): string {
  const shown = ids.slice(0, MOST_NUMBERS).join(", ");
  const more = ids.length > MOST_NUMBERS ? ` and ${ids.length - MOST_NUMBERS} more` : "";
  return `${ids.length === 1 ? "task" : "tasks"} ${shown}${more}`;
}
