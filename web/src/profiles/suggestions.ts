/** What the form of a profile offers: fields that a profile may set, values, what facts may be. */

import type { ProfileWords } from "~/api/profiles";
import { AXIS_GROUPS, type FieldSpec, type GroupSpec } from "~/new-task/document/task-schema";
import { ruleText, textOf } from "./written-values";

/** Fields that are the task's to say. */
const OF_TASKS = /^(system\.|runtime\.(isl|osl)$)/;
const WANTS_OF_NUMBERS = ["at least 1", "at most 8", "2 to 8"];

export function fieldsOfProfiles(groups: readonly GroupSpec[]): FieldSpec[] {
  return groups
    .filter(({ name }) => AXIS_GROUPS.has(name))
    .flatMap(({ fields }) => fields)
    .filter(({ name }) => !OF_TASKS.test(name));
}

/** Values that a field may have, as one types them; rules that find its value come last. */
export function suggestedValues(
  field: FieldSpec | undefined,
  name: string,
  rules: ProfileWords["rules"],
): string[] {
  const given = Array.isArray(field?.choices) ? field.choices : [];
  const values = field?.kind === "boolean" ? [true, false] : given;
  const fitting = rules.filter(({ fields }) => fields.includes(name));
  return [...values.map(textOf), ...fitting.map((rule) => ruleText(rule.name))];
}

export function suggestedWants(fact: ProfileWords["facts"][number] | undefined): string[] {
  if (fact === undefined) return [];
  if (fact.kind === "boolean") return ["true", "false"];
  return fact.kind === "number" ? WANTS_OF_NUMBERS : [...new Set(fact.values)].slice(0, 100);
}
