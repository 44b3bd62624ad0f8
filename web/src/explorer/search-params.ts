/** What the explorer shows, as it stands in the address: a link shows the same to others. */

import type { Span } from "~/charts/scale";
import { type Brushes, readBrushes, writeBrushes } from "./brushes";
import type { Limits } from "./slo";

/** The address. Only what differs from what is shown without it has a part. */
export interface ExplorerSearch {
  x?: string;
  y?: string;
  log?: "x" | "y" | "xy";
  kind?: "measured" | "predicted";
  only?: "frontier";
  /** What is left undone of what is done by itself. */
  without?: string;
  color?: "order";
  slo?: string;
  pin?: string;
  with?: string;
  at?: number;
  zoom?: string;
  brush?: string;
  view?: "table";
  sort?: string;
  /** What figures of the table are told against. */
  against?: "baseline";
}

/** What the explorer shows. */
export interface View {
  /** Figures on the axes; null: those that the task was for. */
  x: string | null;
  y: string | null;
  logX: boolean;
  logY: boolean;
  kind: "both" | "measured" | "predicted";
  frontierOnly: boolean;
  dimDominated: boolean;
  greyOutside: boolean;
  joinPairs: boolean;
  showFailures: boolean;
  colorByOrder: boolean;
  /** Limits in force; null: the task's own. */
  slo: Limits | null;
  pinned: string | null;
  compared: string | null;
  /** Value of x at which the frontier is read. */
  at: number | null;
  /** Values between which the axes run; null: all points. */
  zoom: { x: Span; y: Span } | null;
  brushes: Brushes;
  as: "chart" | "table";
  sort: string | null;
  /** Whether figures of the table stand in percent of the baseline's. */
  againstBaseline: boolean;
}

/** Switches that are on unless the address says that they are not. */
const SWITCHES = {
  dim: "dimDominated",
  grey: "greyOutside",
  pairs: "joinPairs",
  failures: "showFailures",
} as const satisfies Record<string, keyof View>;

export function explorerSearch(given: Record<string, unknown>): ExplorerSearch {
  return searchOf(viewOf(given));
}

export function viewOf(given: ExplorerSearch | Record<string, unknown>): View {
  const { log, kind, view, at, slo } = given;
  const off = new Set((text(given.without) ?? "").split(","));
  return {
    x: text(given.x),
    y: text(given.y),
    logX: log === "x" || log === "xy",
    logY: log === "y" || log === "xy",
    kind: kind === "measured" || kind === "predicted" ? kind : "both",
    frontierOnly: given.only === "frontier",
    dimDominated: !off.has("dim"),
    greyOutside: !off.has("grey"),
    joinPairs: !off.has("pairs"),
    showFailures: !off.has("failures"),
    colorByOrder: given.color === "order",
    slo: typeof slo === "string" ? readLimits(slo) : null,
    pinned: text(given.pin),
    compared: text(given.with),
    at: typeof at === "number" && Number.isFinite(at) ? at : null,
    zoom: readZoom(text(given.zoom)),
    brushes: readBrushes(text(given.brush) ?? ""),
    as: view === "table" ? "table" : "chart",
    sort: text(given.sort),
    againstBaseline: given.against === "baseline",
  };
}

export function searchOf(view: View): ExplorerSearch {
  const off = Object.entries(SWITCHES).flatMap(([name, key]) => (view[key] ? [] : [name]));
  const log = `${view.logX ? "x" : ""}${view.logY ? "y" : ""}` as "" | "x" | "y" | "xy";
  const parts: ExplorerSearch = {
    x: view.x ?? undefined,
    y: view.y ?? undefined,
    log: log || undefined,
    kind: view.kind === "both" ? undefined : view.kind,
    only: view.frontierOnly ? "frontier" : undefined,
    without: off.join(",") || undefined,
    color: view.colorByOrder ? "order" : undefined,
    slo: view.slo === null ? undefined : writeLimits(view.slo),
    pin: view.pinned ?? undefined,
    with: view.compared ?? undefined,
    at: view.at ?? undefined,
    zoom: view.zoom === null ? undefined : writeZoom(view.zoom),
    brush: writeBrushes(view.brushes) || undefined,
    view: view.as === "table" ? "table" : undefined,
    sort: view.sort ?? undefined,
    against: view.againstBaseline ? "baseline" : undefined,
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}

const NO_LIMITS = "none";

export function writeLimits(limits: Limits): string {
  const parts = Object.entries(limits).map(([name, limit]) => `${name}:${short(limit)}`);
  return parts.join(",") || NO_LIMITS;
}

export function readLimits(written: string): Limits {
  const limits: Record<string, number> = {};
  for (const part of written.split(",")) {
    const [name, limit] = part.split(":");
    if (name && Number(limit) > 0) limits[name] = Number(limit);
  }
  return limits;
}

function writeZoom({ x, y }: { x: Span; y: Span }): string {
  return [x.low, x.high, y.low, y.high].map(short).join(",");
}

function readZoom(written: string | null): View["zoom"] {
  const ends = written?.split(",").map(Number) ?? [];
  const [xLow, xHigh, yLow, yHigh] = ends as [number, number, number, number];
  if (ends.length !== 4 || !ends.every(Number.isFinite) || xLow >= xHigh || yLow >= yHigh)
    return null;
  return { x: { low: xLow, high: xHigh }, y: { low: yLow, high: yHigh } };
}

const short = (value: number): string => String(Number(value.toPrecision(6)));

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
