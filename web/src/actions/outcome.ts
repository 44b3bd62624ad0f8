/** What became of an action on several tasks. */

import { ApiProblem } from "~/api/problems";
import { counted } from "~/ui/format";
import { type ActionTarget, VERBS, type Verb } from "./verbs";

export interface Refusal {
  task: Pick<ActionTarget, "id" | "name">;
  problem: ApiProblem;
}

export interface Outcome {
  done: number;
  refusals: Refusal[];
}

export const FEW_AT_ONCE = 4;
const MOST_TRIES = 6;
const WAIT_S = 1;
const MOST_SHOWN = 3;

interface Pace {
  atOnce?: number;
  wait?: (seconds: number) => Promise<void>;
}

/**
 * Asks for each task in turn, a few at once, and notes what the service refuses.
 *
 * Where it asks to come later, this does.
 */
export async function forEach<T extends Refusal["task"]>(
  tasks: readonly T[],
  ask: (task: T) => Promise<unknown>,
  { atOnce = FEW_AT_ONCE, wait = sleep }: Pace = {},
): Promise<Outcome> {
  const left = [...tasks];
  const outcome: Outcome = { done: 0, refusals: [] };
  async function worker(): Promise<void> {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      try {
        await patiently(() => ask(task), wait);
        outcome.done += 1;
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        outcome.refusals.push({ task, problem: error });
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, tasks.length) }, worker));
  return outcome;
}

async function patiently(
  ask: () => Promise<unknown>,
  wait: (seconds: number) => Promise<void>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      const isBusy = error instanceof ApiProblem && error.status === 429;
      if (!isBusy || tries === MOST_TRIES) throw error;
      await wait(error.retryAfterS ?? WAIT_S);
    }
  }
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
}

/** "3 tasks paused", "2 of 3 tasks paused". */
export function outcomeTitle(verb: Verb, { done, refusals }: Outcome): string {
  const total = done + refusals.length;
  const { label, past } = VERBS[verb];
  if (total === 1 && refusals[0]) return `${label}: task ${refusals[0].task.id} refused`;
  if (refusals.length === 0) return `${counted(done, "task")} ${past}`;
  return `${done} of ${counted(total, "task")} ${past}`;
}

/** Why tasks were refused, each reason once with its tasks. */
export function refusalLines(refusals: readonly Refusal[]): string[] {
  const byReason = new Map<string, Refusal[]>();
  for (const refusal of refusals) {
    const reason = reasonOf(refusal.problem);
    byReason.set(reason, [...(byReason.get(reason) ?? []), refusal]);
  }
  return [...byReason].map(([reason, those]) => {
    if (those.length === 1) return reason;
    const named = those.slice(0, MOST_SHOWN).map(({ task }) => task.id);
    const more = those.length > MOST_SHOWN ? ` and ${those.length - MOST_SHOWN} more` : "";
    return `Tasks ${named.join(", ")}${more}: ${reason}`;
  });
}

function reasonOf(problem: ApiProblem): string {
  if (problem.isGone) return "It has been deleted elsewhere.";
  const faults = problem.faults.map(({ path, message }) =>
    path ? `${path}: ${message}` : message,
  );
  if (faults.length > 0) return stopped(faults.join("; "));
  const text = problem.detail || problem.title;
  return stopped(text.charAt(0).toUpperCase() + text.slice(1));
}

function stopped(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
