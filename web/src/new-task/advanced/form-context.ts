/** What every field of the form needs: the document, the schema, choices, and what applies else. */

import { useQuery } from "@tanstack/react-query";
import { createContext, use, useMemo, useRef } from "react";
import { enginesQuery, gpusQuery, modelsQuery, taskSchemaQuery } from "~/api/catalog";
import type { Fault } from "~/api/problems";
import { type ProfilePreview, profilePreviewsQuery } from "~/api/profiles";
import { isFaultOf } from "../document/fault-places";
import { type Circumstances, inherited, type Provenance } from "../document/provenance";
import {
  AXIS_GROUPS,
  type FieldSpec,
  type GroupSpec,
  groupsOf,
  writtenPath,
} from "../document/task-schema";
import { type Json, type JsonObject, type Path, same, valueAt } from "../document/values";
import type { OnFault } from "../quick/decisions";
import { circumstancesOf } from "../quick/profile-circumstances";
import type { DraftTools } from "../use-draft";

export interface FieldState {
  /** Where the document has it, or would have it. */
  path: Path;
  /** Its value in the document; undefined where it says nothing. */
  given: Json | undefined;
  /** Whether it is what Quick suggested, unchanged. */
  isSuggested: boolean;
  /** Whether what is given is a list of values to try. */
  isAxis: boolean;
  /** What applies where the document says nothing. */
  inherited: Provenance;
  faults: readonly string[];
  /** Whether an engine of the document can express it. */
  isExpressible: boolean;
}

export interface Form {
  tools: DraftTools;
  content: JsonObject;
  groups: readonly GroupSpec[];
  engines: readonly string[];
  faults: readonly Fault[];
  choicesOf: (field: FieldSpec) => readonly Json[];
  stateOf: (field: FieldSpec) => FieldState;
  onFault: OnFault;
}

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = use(FormContext);
  if (form === null) throw new Error("useForm outside of FormContext");
  return form;
}

const NONE: JsonObject = {};
const NO_PREVIEWS: readonly ProfilePreview[] = [];

/** The form of a draft; null until the schema is there. Stable while nothing changes. */
export function useFormOf(
  tools: DraftTools,
  faults: readonly Fault[],
  onFault: OnFault,
): Form | null {
  const schema = useQuery(taskSchemaQuery).data;
  const models = useQuery(modelsQuery).data;
  const gpus = useQuery(gpusQuery).data;
  const engines = useQuery(enginesQuery).data;
  // While the text cannot be read the form shows what it said last.
  const readable = useRef(NONE);
  if (tools.draft.task.content !== null) readable.current = tools.draft.task.content;
  const content = readable.current;
  const { suggested } = tools.draft;
  const circumstances = useMemo(() => circumstancesOf(content), [content]);
  const previews = useQuery({
    ...profilePreviewsQuery(circumstances),
    placeholderData: (last) => last,
  }).data;
  const groups = useMemo(() => (schema ? groupsOf(schema as JsonObject) : null), [schema]);

  return useMemo(() => {
    if (groups === null) return null;
    const given = enginesIn(content);
    const profiles = valueAt(content, ["profiles"]);
    const applied: Circumstances = {
      previews: previews ?? NO_PREVIEWS,
      profiles: Array.isArray(profiles) ? profiles.map(String) : [],
      engine: given.length === 1 ? (given[0] ?? null) : null,
    };
    const named: Record<string, readonly Json[]> = {
      backends: (engines ?? []).map((engine) => engine.name),
      gpus: (gpus ?? []).map((gpu) => gpu.name),
      models: (models ?? []).map((model) => model.id),
      profiles: (previews ?? []).map((preview) => preview.name).filter((name) => name !== "base"),
    };
    return {
      tools,
      content,
      groups,
      engines: given,
      faults,
      onFault,
      choicesOf: (field) => choicesIn(field, named, given),
      stateOf: (field) => ({
        ...stateOf(field, groups, content, applied, given, faults),
        isSuggested: isSuggested(field, content, suggested),
      }),
    };
  }, [tools, content, suggested, groups, faults, onFault, previews, engines, gpus, models]);
}

function stateOf(
  field: FieldSpec,
  groups: readonly GroupSpec[],
  content: JsonObject,
  applied: Circumstances,
  engines: readonly string[],
  faults: readonly Fault[],
): Omit<FieldState, "isSuggested"> {
  const group = groups.find((each) => each.name === field.group);
  const path = group ? writtenPath(content, field, group) : field.path;
  const given = valueAt(content, path);
  const names = [field.name, path.join(".")];
  return {
    path,
    given,
    isAxis: isAxis(field, given),
    inherited: inherited(field, applied),
    faults: faults
      .filter((fault) => names.some((name) => isFaultOf(fault.path, name)))
      .map((fault) => fault.message),
    isExpressible:
      field.engines === null ||
      engines.length === 0 ||
      engines.some((engine) => field.engines?.includes(engine)),
  };
}

function isSuggested(field: FieldSpec, content: JsonObject, suggested: JsonObject | null): boolean {
  if (suggested === null) return false;
  const value = valueAt(suggested, field.path);
  return value !== undefined && same(value, valueAt(content, field.path));
}

/** Whether a value is a list to try; the arguments of an engine are a list themselves. */
function isAxis(field: FieldSpec, given: Json | undefined): boolean {
  if (!AXIS_GROUPS.has(field.group) || !Array.isArray(given)) return false;
  return field.kind !== "list" || given.some(Array.isArray);
}

function enginesIn(content: JsonObject): string[] {
  const backend = valueAt(content, ["system", "backend"]);
  return (Array.isArray(backend) ? backend : [backend]).filter((each) => typeof each === "string");
}

function choicesIn(
  { choices }: FieldSpec,
  named: Record<string, readonly Json[]>,
  engines: readonly string[],
): readonly Json[] {
  if (typeof choices === "string") return named[choices] ?? [];
  if ("by" in choices) {
    const lists =
      engines.length > 0
        ? engines.map((engine) => choices.values[engine] ?? [])
        : Object.values(choices.values);
    return [...new Set(lists.flat())];
  }
  return choices;
}
