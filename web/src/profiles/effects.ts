/** What two profiles set in the same circumstances, field beside field. */

import type { ProfilePreview } from "~/api/profiles";
import { same } from "~/new-task/document/values";

type Setting = ProfilePreview["settings"][number];

export interface EffectRow {
  field: string;
  one: Setting | null;
  other: Setting | null;
  differs: boolean;
}

/** Every field that one of them sets, those that differ first. */
export function effectRows(one: ProfilePreview, other: ProfilePreview | null): EffectRow[] {
  const mine = byField(one);
  const theirs = other === null ? new Map<string, Setting>() : byField(other);
  const rows = [...new Set([...mine.keys(), ...theirs.keys()])].map((field): EffectRow => {
    const [left, right] = [mine.get(field) ?? null, theirs.get(field) ?? null];
    const differs = other !== null && !same(left?.value, right?.value);
    return { field, one: left, other: right, differs };
  });
  const byName = (a: EffectRow, b: EffectRow) => a.field.localeCompare(b.field);
  return rows.sort((a, b) => Number(b.differs) - Number(a.differs) || byName(a, b));
}

function byField({ settings }: ProfilePreview): Map<string, Setting> {
  return new Map(settings.map((setting) => [setting.field, setting]));
}

/** Name of the layer alone: "balanced/width" -> "width". */
export function layerName(layer: string): string {
  return layer.split("/").at(-1) ?? layer;
}
