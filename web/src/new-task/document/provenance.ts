/** Where the value of a field comes from that the document does not say. Pure. */

import type { ProfilePreview } from "~/api/profiles";
import type { FieldSpec } from "./task-schema";
import type { Json } from "./values";

export type Origin = "profile" | "default" | "engine" | "open";

export interface Provenance {
  origin: Origin;
  /** The value that applies; undefined where only the engine knows. */
  value: Json | undefined;
  /** The profile's name, or the engine's. */
  by: string;
  why: string;
}

const BASE = "base";

export interface Circumstances {
  previews: readonly ProfilePreview[];
  /** Profiles of the document, in order: later ones win. */
  profiles: readonly string[];
  /** The engine; null where several are compared or none is named. */
  engine: string | null;
}

/** What applies where the document says nothing. */
export function inherited(
  spec: FieldSpec,
  { previews, profiles, engine }: Circumstances,
): Provenance {
  for (const name of [...profiles].reverse()) {
    const found = settingOf(previews, name, spec.name);
    if (found) return { origin: "profile", value: found.value as Json, by: name, why: found.why };
  }
  const base = settingOf(previews, BASE, spec.name);
  if (base) return { origin: "default", value: base.value as Json, by: "", why: base.why };
  if (engine !== null && spec.engineDefaults[engine] !== undefined) {
    return { origin: "engine", value: spec.engineDefaults[engine], by: engine, why: "" };
  }
  if (spec.fallback !== undefined && !isEmpty(spec.fallback)) {
    return { origin: "default", value: spec.fallback, by: "", why: "" };
  }
  if (spec.engines !== null)
    return { origin: "engine", value: undefined, by: engine ?? "", why: "" };
  return { origin: "open", value: undefined, by: "", why: "" };
}

function isEmpty(value: Json): boolean {
  return (
    value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0)
  );
}

function settingOf(previews: readonly ProfilePreview[], profile: string, field: string) {
  return previews
    .find((preview) => preview.name === profile)
    ?.settings.find((setting) => setting.field === field);
}
