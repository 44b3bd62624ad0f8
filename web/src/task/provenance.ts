/** Values of a task's configuration by group, each with where it comes from. */

import type { ConfigurationVariant, FieldOfConfiguration, SettingOrigin } from "~/api/results";
import { setting } from "~/ui/format";

export const GROUPS = [
  "runtime",
  "system",
  "parallel",
  "quantization",
  "memory",
  "scheduling",
  "attention",
  "misc",
] as const;

/** Titles of origins; a profile is shown by its own name. */
export const ORIGIN_TITLES: Record<SettingOrigin, string> = {
  user: "Task",
  profile: "Profile",
  base: "Default",
  engine: "Engine",
  launch: "Launches",
};

export interface ConfigurationRow {
  path: string;
  field: string;
  /** The value, or the values that are searched. */
  value: string;
  isSearched: boolean;
  /** Null where it is not set. */
  origin: SettingOrigin | null;
  layer: string;
  why: string;
  source: string;
  /** What other layers would have set: "balanced: 64 (replaced)". */
  others: string[];
}

export interface ConfigurationGroup {
  group: string;
  rows: ConfigurationRow[];
}

/** Rows of the eight groups, those that are not set at the end of each. */
export function groupsOf(variant: ConfigurationVariant): ConfigurationGroup[] {
  return GROUPS.map((group) => {
    const rows = Object.entries(variant.fields)
      .filter(([path]) => path.startsWith(`${group}.`))
      .map(([path, field]) => rowOf(path, field));
    return { group, rows: [...rows.filter(isSet), ...rows.filter((row) => !isSet(row))] };
  });
}

export const isSet = (row: ConfigurationRow): boolean => row.origin !== null;

function rowOf(path: string, { value, layers, unset }: FieldOfConfiguration): ConfigurationRow {
  const counting = layers.findLast((layer) => layer.status === "set");
  const others = layers
    .filter((layer) => layer !== counting)
    .map(({ layer, value: other, status, why }) =>
      [`${layer}: ${valueText(other)} (${status})`, status === "dropped" ? why : ""]
        .filter(Boolean)
        .join(", "),
    );
  return {
    path,
    field: path.slice(path.indexOf(".") + 1),
    value:
      counting === undefined ? "" : valueText(counting.origin === "launch" ? sorted(value) : value),
    isSearched: isList(path, value),
    origin: counting?.origin ?? null,
    layer: counting?.layer ?? "",
    why: counting?.why || unset || "",
    source: counting?.source ?? "",
    others,
  };
}

/** `misc.extra_args` is a list of words by itself; a list of lists is searched. */
function isList(path: string, value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return path !== "misc.extra_args" || value.some(Array.isArray);
}

/** Values that launches had, by size where they have one: their order is that of the search. */
function sorted(value: unknown): unknown {
  const isSized = Array.isArray(value) && value.every((one) => typeof one === "number");
  return isSized ? (value as number[]).toSorted((a, b) => a - b) : value;
}

function valueText(value: unknown): string {
  if (!Array.isArray(value)) return setting(value);
  return value.map((one) => (one === null ? "engine's default" : setting(one))).join(", ");
}

const PARTS = [
  "model",
  "profiles",
  "slo",
  "optimization",
  "benchmark",
  "prediction",
  "replay",
  "engine_path",
  "deployment_mode",
] as const;

/** What the document gives beside the eight groups: `benchmark.repeats` -> "3". */
export function otherParts(document: Readonly<Record<string, unknown>>): [string, string][] {
  return PARTS.flatMap((part) => flattened(part, document[part]));
}

function flattened(path: string, value: unknown): [string, string][] {
  if (value === null || value === undefined) return [];
  if (typeof value !== "object") return [[path, setting(value)]];
  if (Array.isArray(value)) {
    return value.length === 0 ? [] : [[path, value.map(itemText).join(", ")]];
  }
  return Object.entries(value).flatMap(([key, item]) => flattened(`${path}.${key}`, item));
}

const itemText = (item: unknown): string =>
  typeof item === "object" && item !== null
    ? Object.entries(item)
        .map(([key, value]) => `${key} ${setting(value)}`)
        .join(" ")
    : setting(item);
