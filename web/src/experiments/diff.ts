/** Several experiments side by side: what they set and what came of it, against the first one. */

import type { Experiment } from "~/api/experiments";
import { setting } from "~/ui/format";
import { type Quantity, quantity, withUnit } from "~/ui/quantities";

export interface SettingRow {
  path: string;
  values: string[];
  differs: boolean;
}

/** Settings of all of them, those that differ first. */
export function settingRows(
  experiments: readonly { settings: Readonly<Record<string, unknown>> }[],
): SettingRow[] {
  const paths = [...new Set(experiments.flatMap((one) => Object.keys(one.settings)))];
  const rows = paths.map((path) => {
    const values = experiments.map((one) => setting(one.settings[path]));
    return { path, values, differs: new Set(values).size > 1 };
  });
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}

export interface FigureCell {
  text: string;
  /** Share by which it differs from the first one's; null for the first one, and where either is unknown. */
  change: number | null;
  /** Null where it is neither. */
  isBetter: boolean | null;
}

export interface FigureRow {
  title: string;
  cells: FigureCell[];
}

const FIGURES = [
  ["actual_throughput_tok_s", "tok_s"],
  ["actual_ttft_ms", "ttft_ms"],
  ["actual_tpot_ms", "tpot_ms"],
  ["actual_latency_p90_ms", "e2e_p90_ms"],
] as const;

/** Figures of their representative points. */
export function figureRows(experiments: readonly Experiment[]): FigureRow[] {
  return FIGURES.map(([field, name]) => {
    const shown = quantity(name);
    return {
      title: shown.title,
      cells: figureCells(
        shown,
        experiments.map((one) => one[field]),
      ),
    };
  });
}

/** Values of one quantity, each against the first. */
export function figureCells(
  shown: Quantity,
  values: readonly (number | null | undefined)[],
): FigureCell[] {
  const base = values[0];
  return values.map((value, place) => {
    const change = place > 0 && value && base ? value / base - 1 : null;
    return { text: withUnit(shown, value), change, isBetter: isBetter(shown, change) };
  });
}

/** Whether a change is for the better; null where it is neither. */
export function isBetter({ better }: Quantity, change: number | null): boolean | null {
  return change === null || change === 0 ? null : change > 0 === (better === "higher");
}

/** The marked ones with another one first, which the others are compared with from then on. */
export function withBaseline(marked: readonly number[], index: number): number[] {
  return [index, ...marked.filter((one) => one !== index)];
}
