/** The five decisions of a quick task. What is left open is chosen by what the service finds. */

import type { Goal } from "~/api/catalog";
import type { SuggestRequest } from "~/api/plans";
import { isObject, type JsonObject, same, valueAt } from "../document/values";

/** Limits in ms. */
export type SloLimits = Readonly<Partial<Record<SloName, number>>>;

export const SLO_NAMES = [
  ...(["ttft_ms", "ttft_p90_ms", "ttft_p99_ms", "tpot_ms", "tpot_p90_ms"] as const),
  ...(["tpot_p99_ms", "e2e_p90_ms", "e2e_p99_ms"] as const),
];
export type SloName = (typeof SLO_NAMES)[number];

export interface RequestLengths {
  isl: number;
  osl: number;
}

export interface Decisions {
  /** A name of the catalog or a hub, or a path on the service's machine, as typed. */
  model: string;
  gpu: string | null;
  gpus: number | null;
  backend: string | null;
  workload: string | RequestLengths | null;
  goal: string | null;
  slo: SloLimits;
  profiles: readonly string[];
}

/** Called with why what a field holds is not taken, by the name of the field; null once it is. */
export type OnFault = (field: string, fault: string | null) => void;

export const UNDECIDED: Decisions = {
  model: "",
  gpu: null,
  gpus: null,
  backend: null,
  workload: null,
  goal: null,
  slo: {},
  profiles: [],
};

/** Limits that a goal with an SLO begins with. */
export const FIRST_LIMITS: SloLimits = { ttft_ms: 1000, tpot_ms: 50 };

const IS_PATH = /^[./~]|\.gguf$/i;

/** What the service is asked; null until there is a model. */
export function requestOf(decisions: Decisions): SuggestRequest | null {
  const model = decisions.model.trim();
  if (model === "") return null;
  const request = {
    model: IS_PATH.test(model) ? { path: model } : { id: model },
    gpu_type: decisions.gpu,
    total_gpus: decisions.gpus,
    backend: decisions.backend,
    workload: decisions.workload,
    goal: decisions.goal,
    slo: decisions.slo,
    profiles: [...decisions.profiles],
  };
  const given = Object.entries(request).filter(([, value]) => !isLeftOpen(value));
  return Object.fromEntries(given) as unknown as SuggestRequest;
}

/** The decisions that a document stands for, as far as five can say it. */
export function decisionsOf(content: JsonObject, goals: readonly Goal[]): Decisions {
  const text = (...path: string[]) => {
    const value = valueAt(content, path);
    return typeof value === "string" ? value : null;
  };
  const count = (...path: string[]) => {
    const value = valueAt(content, path);
    return typeof value === "number" ? value : null;
  };
  const isl = count("runtime", "isl");
  const osl = count("runtime", "osl");
  const profiles = valueAt(content, ["profiles"]);
  return {
    model: text("model", "id") ?? text("model", "path") ?? "",
    gpu: text("system", "gpu_type"),
    gpus: count("system", "total_gpus") || null,
    backend: text("system", "backend"),
    workload: isl !== null && osl !== null ? { isl, osl } : null,
    goal: goalOf(content, goals),
    slo: isObject(content.slo) ? (content.slo as SloLimits) : {},
    profiles: Array.isArray(profiles) ? profiles.map(String) : [],
  };
}

/** Whether the model was taken away that the document still names. */
export function lacksModel(decisions: Decisions, content: JsonObject | null): boolean {
  return decisions.model.trim() === "" && isObject(valueAt(content ?? undefined, ["model"]));
}

function goalOf(content: JsonObject, goals: readonly Goal[]): string | null {
  const objectives = valueAt(content, ["optimization", "objectives"]);
  const hasLimits = isObject(content.slo) && Object.keys(content.slo).length > 0;
  const fitting = goals.filter((goal) => same(goal.objectives, objectives));
  const found = fitting.find((goal) => goal.needs_slo === hasLimits) ?? fitting[0];
  return found?.name ?? null;
}

function isLeftOpen(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
