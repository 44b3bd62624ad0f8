/** What the address of the profiles' pages holds: which profile, beside which, and for what. */

import type { JsonObject } from "~/new-task/document/values";

/** The circumstances in which a profile is shown. */
export interface Circumstances {
  model?: string;
  gpu?: string;
  gpus?: number;
  engine?: string;
  isl?: number;
  osl?: number;
}

export interface ProfilesSearch extends Circumstances {
  profile?: string;
  /** Profile beside which it is shown. */
  beside?: string;
}

export interface EditProfileSearch extends ProfilesSearch {
  /** Profile that the new one is a copy of. */
  copy?: string;
}

const LONGEST_NAME = 200;
const LONGEST_MODEL = 1_000;
const MOST = 100_000_000;

export function profilesSearch(given: Record<string, unknown>): ProfilesSearch {
  return { ...circumstancesOf(given), ...names(given, ["profile", "beside"]) };
}

export function editProfileSearch(given: Record<string, unknown>): EditProfileSearch {
  return { ...circumstancesOf(given), ...names(given, ["profile", "beside", "copy"]) };
}

export function circumstancesOf(given: Record<string, unknown>): Circumstances {
  const model = text(given.model, LONGEST_MODEL);
  const numbers = (["gpus", "isl", "osl"] as const).flatMap((key) => {
    const value = Number(given[key]);
    return Number.isInteger(value) && value > 0 && value <= MOST ? [[key, value]] : [];
  });
  return {
    ...(model ? { model } : {}),
    ...names(given, ["gpu", "engine"]),
    ...Object.fromEntries(numbers),
  };
}

/** A task document of nothing but the circumstances. */
export function documentOf({ model, gpu, gpus, engine, isl, osl }: Circumstances): JsonObject {
  const system = {
    ...(engine ? { backend: engine } : {}),
    ...(gpu ? { gpu_type: gpu } : {}),
    ...(gpus && gpu !== "cpu" ? { total_gpus: gpus } : {}),
  };
  const runtime = { ...(isl ? { isl } : {}), ...(osl ? { osl } : {}) };
  return {
    version: 2,
    name: "circumstances",
    ...(model ? { model: { id: model } } : {}),
    ...(Object.keys(system).length > 0 ? { system } : {}),
    ...(Object.keys(runtime).length > 0 ? { runtime } : {}),
  };
}

function names<Key extends string>(
  given: Record<string, unknown>,
  keys: readonly Key[],
): Partial<Record<Key, string>> {
  const found = keys.flatMap((key) => {
    const name = text(given[key], LONGEST_NAME);
    return name ? [[key, name]] : [];
  });
  return Object.fromEntries(found) as Partial<Record<Key, string>>;
}

/** A text of the address; the router reads what looks like a number as one. */
function text(value: unknown, longest: number): string {
  return typeof value === "string" || typeof value === "number"
    ? String(value).slice(0, longest)
    : "";
}
