/** Columns of the list of experiments: what they show, and how rows are ordered by them. */

import type { Experiment } from "~/api/experiments";
import { count, duration, fieldName, type LoadLevel, load, moment, setting } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { failureName } from "./failures";

export interface Column {
  id: string;
  title: string;
  /** For the choice of columns, where the title alone is not clear. */
  description?: string;
  widthPx: number;
  isNumeric: boolean;
  /** Whether it is shown until the reader chooses. */
  isDefault: boolean;
  /** What rows are ordered by; null comes last, either way. */
  value: (experiment: Experiment) => string | number | null;
  text: (experiment: Experiment) => string;
}

type FigureName = {
  [K in keyof Experiment]: Experiment[K] extends number | null ? K : never;
}[keyof Experiment];

function figure(field: FigureName, name: string, isDefault = false, prefix = ""): Column {
  const { short, title, format } = quantity(name);
  const value = (experiment: Experiment) => experiment[field] as number | null;
  return {
    id: field,
    title: prefix ? `${prefix} ${short}` : short,
    description: prefix ? `${title}, ${prefix}` : title,
    widthPx: prefix ? 132 : 100,
    isNumeric: true,
    isDefault,
    value,
    text: (experiment) => format(value(experiment)),
  };
}

function words(
  id: string,
  title: string,
  widthPx: number,
  text: (e: Experiment) => string,
): Column {
  return { id, title, widthPx, isNumeric: false, isDefault: false, value: text, text };
}

const seconds = (id: "startup_s" | "measure_s", title: string): Column => ({
  id,
  title,
  widthPx: 100,
  isNumeric: true,
  isDefault: false,
  value: (experiment) => experiment[id],
  text: (experiment) => duration(experiment[id]),
});

export const INDEX = "index";
export const STATUS = "status";

const IDENTITY: readonly Column[] = [
  {
    id: INDEX,
    title: "#",
    description: "Place in the order of launch",
    widthPx: 64,
    isNumeric: true,
    isDefault: true,
    value: ({ index }) => index,
    text: ({ index }) => String(index),
  },
  { ...words(STATUS, "Status", 126, ({ status }) => status), isDefault: true },
];

const RESULTS: readonly Column[] = [
  figure("actual_throughput_tok_s", "tok_s", true),
  figure("actual_ttft_ms", "ttft_ms", true),
  figure("actual_tpot_ms", "tpot_ms", true),
  figure("actual_latency_p90_ms", "e2e_p90_ms", true),
  {
    id: "is_on_actual_frontier",
    title: "Frontier",
    description: "Whether any of its points is on the measured frontier",
    widthPx: 92,
    isNumeric: false,
    isDefault: true,
    value: ({ is_on_actual_frontier: isOn }) => (isOn ? 0 : null),
    text: ({ is_on_actual_frontier: isOn }) => (isOn ? "yes" : ""),
  },
];

const DETAILS: readonly Column[] = [
  figure("predicted_throughput_tok_s", "tok_s", false, "predicted"),
  figure("predicted_ttft_ms", "ttft_ms", false, "predicted"),
  figure("predicted_tpot_ms", "tpot_ms", false, "predicted"),
  figure("predicted_latency_p90_ms", "e2e_p90_ms", false, "predicted"),
  {
    ...words("failure_kind", "Failure", 190, ({ failure_kind: kind }) =>
      kind === null ? "" : failureName(kind),
    ),
    value: ({ failure_kind: kind }) => kind,
  },
  words("selection_reason", "Why", 320, (experiment) => experiment.selection_reason),
  words("phase", "Phase", 120, (experiment) => experiment.phase),
  seconds("startup_s", "Startup"),
  seconds("measure_s", "Measuring"),
  {
    ...words("started_at", "Started", 150, ({ started_at: at }) => moment(at)),
    value: ({ started_at: at }) => Date.parse(at),
  },
  words("candidate_id", "Candidate", 150, (experiment) => experiment.candidate_id),
];

/** Index of an experiment -> the load level that its figures are of. */
export type Loads = ReadonlyMap<number, LoadLevel>;

/** All columns; results stand before the differing settings, which may be many. */
export function columnsOf(paths: readonly string[], loads: Loads = new Map()): Column[] {
  return [...IDENTITY, loadColumn(loads), ...RESULTS, ...paths.map(settingColumn), ...DETAILS];
}

function loadColumn(loads: Loads): Column {
  return {
    id: "load",
    title: "At load",
    description:
      "Load level that the figures are of: the one nearest to the best of all objectives",
    widthPx: 112,
    isNumeric: false,
    isDefault: true,
    value: ({ index }) => loads.get(index)?.value ?? null,
    text: ({ index }) => {
      const level = loads.get(index);
      return level ? load(level) : "–";
    },
  };
}

function settingColumn(path: string): Column {
  return {
    id: path,
    title: fieldName(path),
    description: path,
    widthPx: Math.min(200, Math.max(96, 8 * fieldName(path).length + 40)),
    isNumeric: false,
    isDefault: true,
    value: ({ settings }) => comparable(settings[path]),
    text: ({ settings }) => setting(settings[path]),
  };
}

function comparable(value: unknown): string | number | null {
  if (value === null || value === undefined) return null;
  return typeof value === "number" ? value : setting(value);
}

/** Column id -> whether the reader wants it; what is left out is as by default. */
export type ColumnChoice = Readonly<Record<string, boolean>>;

/** The columns that are shown; the number of a row always is. */
export function shownColumns(columns: readonly Column[], choice: ColumnChoice): Column[] {
  return columns.filter(({ id, isDefault }) => id === INDEX || (choice[id] ?? isDefault));
}

/** Rows in the order of a column: `tok_s`, or `-tok_s` for the reverse; equal ones by launch. */
export function sorted(
  rows: readonly Experiment[],
  columns: readonly Column[],
  sort: string | undefined,
): readonly Experiment[] {
  const isDescending = sort?.startsWith("-") ?? false;
  const column = columns.find(({ id }) => id === sort?.replace(/^-/, ""));
  if (column === undefined) return rows;
  const keyed = rows.map((row) => ({ row, key: column.value(row) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return Number(a.key === null) - Number(b.key === null) || a.row.index - b.row.index;
    }
    const order = compare(a.key, b.key);
    return (isDescending ? -order : order) || a.row.index - b.row.index;
  });
  return keyed.map(({ row }) => row);
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

/** Rows of these statuses in which every word of the text occurs, whatever its case. */
export function filtered(
  rows: readonly Experiment[],
  text: string,
  statuses: readonly string[],
): readonly Experiment[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0 && statuses.length === 0) return rows;
  return rows.filter((row) => {
    if (statuses.length > 0 && !statuses.includes(row.status)) return false;
    if (wanted.length === 0) return true;
    const searched = searchedText(row);
    return wanted.every((word) => searched.includes(word));
  });
}

function searchedText(row: Experiment): string {
  const settings = Object.entries(row.settings).map(([path, value]) => `${path} ${setting(value)}`);
  return [
    row.candidate_id,
    row.status,
    row.phase,
    row.selection_reason,
    row.command,
    row.failure_kind,
    row.failure_message,
    ...settings,
  ]
    .join("\n")
    .toLowerCase();
}

/** "12 of 40 experiments", "40 experiments". */
export function shownText(shown: number, all: number): string {
  const noun = all === 1 ? "experiment" : "experiments";
  return shown === all ? `${count(all)} ${noun}` : `${count(shown)} of ${count(all)} ${noun}`;
}
