/** A profile as its form has it, and as the service takes it. */

import type { Fault } from "~/api/problems";
import type { NewProfile, Profile } from "~/api/profiles";
import { isObject, type Json, type JsonObject } from "~/new-task/document/values";
import { readValue, ruleOf, ruleText, textOf, wantedOf, wantedText } from "./written-values";

export interface ConditionDraft {
  id: number;
  fact: string;
  text: string;
}

export interface SettingDraft {
  id: number;
  /** `group.field`. */
  field: string;
  text: string;
  why: string;
  source: string;
}

export interface LayerDraft {
  id: number;
  name: string;
  when: ConditionDraft[];
  set: SettingDraft[];
}

export interface ProfileDraft {
  name: string;
  description: string;
  extends: string | null;
  layers: LayerDraft[];
}

let newest = 0;
export const newId = () => {
  newest += 1;
  return newest;
};

export const newCondition = (): ConditionDraft => ({ id: newId(), fact: "", text: "" });
export const newSetting = (): SettingDraft => ({
  id: newId(),
  field: "",
  text: "",
  why: "",
  source: "",
});
export const newLayer = (name: string): LayerDraft => ({
  id: newId(),
  name,
  when: [],
  set: [newSetting()],
});

export function emptyDraft(): ProfileDraft {
  return { name: "", description: "", extends: null, layers: [newLayer("settings")] };
}

/** The form of a profile: its own layers, without those of what it extends. */
export function draftOf(profile: Profile): ProfileDraft {
  const own = profile.layers.filter(({ layer }) => layer.startsWith(`${profile.name}/`));
  return {
    name: profile.name,
    description: profile.description,
    extends: profile.extends,
    layers: own.map((layer) => ({
      id: newId(),
      name: layer.name,
      when: Object.entries(layer.when).map(([fact, wanted]) => ({
        id: newId(),
        fact,
        text: wantedText(wanted),
      })),
      set: Object.entries(layer.set).map(([field, given]) => settingOf(field, given)),
    })),
  };
}

/** A copy under a name that is free. */
export function copyOf(profile: Profile, taken: readonly string[]): ProfileDraft {
  return { ...draftOf(profile), name: freeName(`${profile.name}_copy`, taken) };
}

function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  let number = 2;
  while (taken.includes(`${name}_${number}`)) number += 1;
  return `${name}_${number}`;
}

function settingOf(field: string, given: unknown): SettingDraft {
  const row: JsonObject = isObject(given) ? given : { value: given as Json };
  const text = typeof row.rule === "string" ? ruleText(row.rule) : textOf(row.value);
  return { id: newId(), field, text, why: spoken(row.why), source: spoken(row.source) };
}

const spoken = (value: Json | undefined) => (typeof value === "string" ? value : "");

/** The document that the service takes; rows that hold nothing are left out. */
export function profileOf(draft: ProfileDraft): NewProfile {
  return {
    name: draft.name.trim(),
    description: draft.description,
    extends: draft.extends,
    layers: draft.layers.map(({ name, when, set }) => ({
      name: name.trim(),
      when: Object.fromEntries(
        when.flatMap(({ fact, text }) => {
          const wanted = wantedOf(text);
          return fact === "" || wanted === undefined ? [] : [[fact, wanted]];
        }),
      ) as never,
      set: Object.fromEntries(
        set.flatMap((one) => {
          const value = givenOf(one);
          return one.field === "" || value === undefined ? [] : [[one.field, value]];
        }),
      ) as never,
    })),
  };
}

function givenOf({ text, why, source }: SettingDraft): Json | undefined {
  const rule = ruleOf(text);
  const value = readValue(text);
  if (rule === null && value === undefined) return undefined;
  return {
    ...(rule === null ? { value: value as Json } : { rule }),
    ...(why.trim() === "" ? {} : { why: why.trim() }),
    ...(source === "" ? {} : { source }),
  };
}

/** What is wrong with the form itself: rows that are half filled, and what is given twice. */
export function faultsOfForm(draft: ProfileDraft): Fault[] {
  return draft.layers.flatMap(({ when, set }, index) => [
    ...faultsOfRows(
      `layers[${index}].when`,
      when.map(({ fact, text }) => ({ key: fact, text, isRead: wantedOf(text) !== undefined })),
      "a fact",
    ),
    ...faultsOfRows(
      `layers[${index}].set`,
      set.map((one) => ({
        key: one.field,
        text: one.text,
        isRead: givenOf(one) !== undefined,
      })),
      "a field",
    ),
  ]);
}

function faultsOfRows(
  place: string,
  rows: readonly { key: string; text: string; isRead: boolean }[],
  noun: string,
): Fault[] {
  return rows.flatMap(({ key, text, isRead }, index) => {
    const path = `${place}.${key}`;
    if (key === "" && text.trim() === "") return [];
    if (key === "") return [{ path, message: `choose ${noun}, or remove the row` }];
    if (rows.findIndex((row) => row.key === key) < index)
      return [{ path, message: "is given twice in this layer; keep one" }];
    if (text.trim() === "") return [{ path, message: "give a value, or remove the row" }];
    if (!isRead) return [{ path, message: `${text.trim()} is not written as a value is` }];
    return [];
  });
}

/** Faults by the place that they belong to, each path once. */
export function faultsByPath(faults: readonly Fault[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, message } of faults) {
    const before = found.get(path);
    found.set(path, before === undefined ? message : `${before}; ${message}`);
  }
  return found;
}

/** Faults that no field of the form shows. */
export function faultsElsewhere(faults: readonly Fault[], draft: ProfileDraft): readonly Fault[] {
  const shown = new Set(["name", "description", "extends"]);
  for (const [index, { when, set }] of draft.layers.entries()) {
    shown.add(`layers[${index}].name`);
    for (const { fact } of when) shown.add(`layers[${index}].when.${fact}`);
    for (const { field } of set) shown.add(`layers[${index}].set.${field}`);
  }
  return faults.filter(({ path }) => !shown.has(path));
}
