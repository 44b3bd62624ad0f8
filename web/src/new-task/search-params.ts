/** How the form of a new task was opened, as it stands in the address. */

import { type Circumstances, circumstancesOf } from "~/profiles/search-params";

/** What somebody wants to serve, where, and within what. */
export interface WantedTask extends Circumstances {
  /** Limits of means, in ms. */
  ttft?: number;
  tpot?: number;
}

export interface NewTaskSearch extends WantedTask {
  mode?: "advanced";
  /** Part of the advanced form. */
  tab?: string;
  /** Task that is copied. */
  from?: number;
  /** Task that is changed: only while it is not started. */
  edit?: number;
}

const MOST_MS = 1e9;
const TAB = /^[a-z]{1,20}$/;

export function newTaskSearch(given: Record<string, unknown>): NewTaskSearch {
  const id = (value: unknown) => {
    const read = Number(value);
    return Number.isInteger(read) && read > 0 ? read : undefined;
  };
  const from = id(given.from);
  const edit = id(given.edit);
  return {
    ...(from || edit ? {} : wantedOf(given)),
    ...(given.mode === "advanced" ? { mode: "advanced" } : {}),
    ...(TAB.test(String(given.tab ?? "")) ? { tab: String(given.tab) } : {}),
    ...(from ? { from } : {}),
    ...(edit ? { edit } : {}),
  };
}

export function wantedOf(given: Record<string, unknown>): WantedTask {
  const limits = (["ttft", "tpot"] as const).flatMap((key) => {
    const value = Number(given[key]);
    return value > 0 && value <= MOST_MS ? [[key, value]] : [];
  });
  return { ...circumstancesOf(given), ...Object.fromEntries(limits) };
}

/** The limits by the names that a task has for them. */
export const limitsOfWanted = ({ ttft, tpot }: WantedTask) => ({
  ...(ttft === undefined ? {} : { ttft_ms: ttft }),
  ...(tpot === undefined ? {} : { tpot_ms: tpot }),
});
