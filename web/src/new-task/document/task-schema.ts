/** Fields of a task as the service's JSON Schema describes them: what a form is made of. */

import { isObject, type Json, type JsonObject, type Path } from "./values";

export type InputKind = "integer" | "number" | "boolean" | "text" | "choice" | "list" | "yaml";
export type Choices =
  | readonly Json[]
  | "backends"
  | "gpus"
  | "models"
  | "profiles"
  | { by: string; values: Record<string, readonly Json[]> };

export interface FieldSpec {
  /** `scheduling.max_running_requests`. */
  name: string;
  path: Path;
  title: string;
  description: string;
  unit: string;
  group: string;
  order: number;
  isAdvanced: boolean;
  /** Whether a list of values to try may stand for the value. */
  isSearchable: boolean;
  kind: InputKind;
  /** Kind of the items of a list. */
  itemKind: InputKind;
  choices: Choices;
  /** Engines that can express it; null where it is nothing of engines. */
  engines: readonly string[] | null;
  engineDefaults: Readonly<Record<string, Json>>;
  /** What the service takes where nothing is given; undefined where that depends. */
  fallback: Json | undefined;
}

export interface GroupSpec {
  name: string;
  title: string;
  description: string;
  fields: readonly FieldSpec[];
  /** Short name -> name of the field. */
  aliases: Readonly<Record<string, string>>;
}

/** The eight groups: in them a list of values to try may stand for any value. */
export const AXIS_GROUPS: ReadonlySet<string> = new Set([
  "runtime",
  "system",
  "parallel",
  "quantization",
  "memory",
  "scheduling",
  "attention",
  "misc",
]);
/** The tab of what is in no group. */
export const TASK = "task";
const NOT_IN_FORM = new Set(["version", "combinations"]);
const MOST_DEPTH = 4;

export function groupsOf(schema: JsonObject): GroupSpec[] {
  const properties = objectAt(schema, "properties");
  const listed = Array.isArray(schema["x-groups"]) ? schema["x-groups"].filter(isObject) : [];
  const names = new Set(listed.map((group) => group.name));
  return listed.map((group): GroupSpec => {
    const name = textAt(group, "name");
    const ofTask = Object.keys(properties).filter(
      (key) => !names.has(key) && !NOT_IN_FORM.has(key),
    );
    const owners = name === TASK ? ofTask : [name];
    const [object = {}] = name === TASK ? [] : alternatives(schema, objectAt(properties, name));
    return {
      name,
      title: textAt(group, "title"),
      description: textAt(group, "description"),
      fields: owners
        .flatMap((owner) => fieldsAt(schema, properties[owner], [owner], name, 0))
        .sort((a, b) => a.order - b.order),
      aliases: objectAt(object, "x-aliases") as Record<string, string>,
    };
  });
}

/** The name under which a document has a field: the field's own, or a short one for it. */
export function writtenPath(content: JsonObject, field: FieldSpec, group: GroupSpec): Path {
  const [owner, name, ...rest] = field.path;
  const given = isObject(content[String(owner)]) ? (content[String(owner)] as JsonObject) : {};
  if (name === undefined || owner === undefined || Object.hasOwn(given, String(name)))
    return field.path;
  const alias = Object.keys(given).find((key) => group.aliases[key] === name);
  return alias === undefined ? field.path : [owner, alias, ...rest];
}

function fieldsOfObject(
  schema: JsonObject,
  object: JsonObject,
  path: Path,
  group: string,
  depth: number,
): FieldSpec[] {
  const properties = objectAt(object, "properties");
  return Object.keys(properties).flatMap((name) =>
    fieldsAt(schema, properties[name], [...path, name], group, depth + 1),
  );
}

function fieldsAt(
  schema: JsonObject,
  given: Json | undefined,
  path: Path,
  group: string,
  depth: number,
): FieldSpec[] {
  const property = isObject(given) ? given : {};
  const forms = alternatives(schema, property);
  const object = forms.find((form) => isObject(form.properties));
  const isOnlyObject = forms.every((form) => form.type === "object");
  if (object && isOnlyObject && depth < MOST_DEPTH) {
    return fieldsOfObject(schema, object, path, group, depth);
  }
  const isSearchable = property["x-searchable"] === true;
  const value = AXIS_GROUPS.has(group) ? withoutAxis(forms) : forms;
  const kind = kindOf(value);
  const items = kind === "list" ? alternatives(schema, objectAt(value[0] ?? {}, "items")) : [];
  const listed = choicesIn(kind === "list" ? items : value);
  const engines = property["x-engines"];
  const order = property["x-order"];
  return [
    {
      name: path.join("."),
      path,
      title: textAt(property, "title") || sentenceCase(String(path.at(-1))),
      description: textAt(property, "description"),
      unit: textAt(property, "x-unit"),
      group,
      order: typeof order === "number" ? order : 0,
      isAdvanced: property["x-level"] === "advanced",
      isSearchable,
      kind,
      itemKind: items.length > 0 ? kindOf(items) : "text",
      choices: (property["x-choices"] as Choices | undefined) ?? listed,
      engines: Array.isArray(engines) ? engines.map(String) : null,
      engineDefaults: objectAt(property, "x-engine-defaults"),
      fallback: property.default ?? undefined,
    },
  ];
}

/** The forms of a value apart from lists of values to try. */
function withoutAxis(forms: JsonObject[]): JsonObject[] {
  const scalars = forms.filter((form) => form.type !== "array");
  return scalars.length > 0 ? scalars : forms.slice(0, 1);
}

function kindOf(forms: JsonObject[]): InputKind {
  const types = new Set(forms.map((form) => form.type));
  if (types.has("boolean")) return "boolean";
  if (types.has("integer")) return "integer";
  if (types.has("number")) return "number";
  if (types.has("array")) return forms.some(isListOfObjects) ? "yaml" : "list";
  if (forms.some((form) => Array.isArray(form.enum))) return "choice";
  if (types.has("string") || forms.length === 0) return "text";
  return "yaml";
}

function isListOfObjects(form: JsonObject): boolean {
  const items = objectAt(form, "items");
  const variants = Array.isArray(items.anyOf) ? items.anyOf : [items];
  return variants.some((each) => isObject(each) && each.type === "object");
}

function choicesIn(forms: JsonObject[]): Json[] {
  return forms.flatMap((form) => {
    if (Array.isArray(form.enum)) return form.enum;
    return "const" in form ? [form.const ?? null] : [];
  });
}

/** Every form that a value may have, references resolved, without null. */
function alternatives(schema: JsonObject, given: JsonObject, depth = 0): JsonObject[] {
  if (depth > 8) return [];
  const reference = textAt(given, "$ref");
  if (reference) {
    const target = objectAt(objectAt(schema, "$defs"), reference.split("/").at(-1) ?? "");
    return alternatives(schema, target, depth + 1);
  }
  for (const key of ["anyOf", "oneOf", "allOf"] as const) {
    const forms = given[key];
    if (Array.isArray(forms)) {
      return forms.flatMap((form) => (isObject(form) ? alternatives(schema, form, depth + 1) : []));
    }
  }
  return given.type === "null" ? [] : [given];
}

function objectAt(owner: JsonObject, key: string): JsonObject {
  const value = owner[key];
  return isObject(value) ? value : {};
}

function textAt(owner: JsonObject, key: string): string {
  const value = owner[key];
  return typeof value === "string" ? value : "";
}

function sentenceCase(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
