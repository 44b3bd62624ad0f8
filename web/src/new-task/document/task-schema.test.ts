import { describe, expect, it } from "vitest";
import { SCHEMA } from "../testing";
import { completionAt } from "./completion";
import { isFaultOf, pathOf, placeOf } from "./fault-places";
import { inherited } from "./provenance";
import { groupsOf, writtenPath } from "./task-schema";
import { read } from "./task-text";

const GROUPS = groupsOf(SCHEMA);
const FIELDS = GROUPS.flatMap((group) => group.fields);
const field = (name: string) => {
  const found = FIELDS.find((each) => each.name === name);
  if (!found) throw new Error(`no field ${name}`);
  return found;
};

describe("fields of the schema", () => {
  it("are in the service's groups and order, parts of parts too", () => {
    expect(GROUPS.map((group) => group.name)).toEqual([
      "task",
      "scheduling",
      "misc",
      "optimization",
    ]);
    expect(GROUPS[1]?.fields.map((each) => each.name)).toEqual([
      "scheduling.policy",
      "scheduling.max_running_requests",
    ]);
    expect(field("optimization.budget.experiments").kind).toBe("integer");
    expect(field("model.id").choices).toBe("models");
  });

  it("know a value from a list of values to try", () => {
    expect(field("scheduling.max_running_requests")).toMatchObject({
      kind: "integer",
      isSearchable: true,
    });
    expect(field("scheduling.policy").kind).toBe("text");
    expect(field("misc.extra_args")).toMatchObject({ kind: "list", itemKind: "text" });
    expect(field("profiles").kind).toBe("list");
    expect(field("optimization.parallel_launches")).toMatchObject({
      kind: "integer",
      choices: ["auto"],
    });
  });

  it("are found under the short names that a file has", () => {
    const group = GROUPS[1];
    if (!group) throw new Error("no group");
    const spec = field("scheduling.max_running_requests");
    expect(writtenPath({ scheduling: { slots: 4 } }, spec, group)).toEqual(["scheduling", "slots"]);
    expect(writtenPath({}, spec, group)).toEqual(["scheduling", "max_running_requests"]);
  });
});

describe("where a value comes from", () => {
  const setting = (name: string, value: number) => ({
    name,
    title: name,
    description: "",
    origin: "built-in" as const,
    problem: null,
    skipped: [],
    settings: [
      {
        field: "scheduling.max_running_requests",
        value,
        why: `as ${name}`,
        layer: "",
        overruled: false,
      },
    ],
  });
  const spec = field("scheduling.max_running_requests");
  const where = {
    previews: [setting("base", 1), setting("a", 2), setting("b", 3)],
    engine: "llamacpp",
  };

  it("is the last profile that sets it, then a default, then the engine", () => {
    expect(inherited(spec, { ...where, profiles: ["a", "b"] })).toMatchObject({
      origin: "profile",
      by: "b",
      value: 3,
    });
    expect(inherited(spec, { ...where, profiles: [] })).toMatchObject({
      origin: "default",
      value: 1,
    });
    expect(inherited(spec, { ...where, previews: [], profiles: [] })).toMatchObject({
      origin: "engine",
      value: 1,
    });
  });
});

describe("faults", () => {
  it("belong to a field and its items, not to its namesakes", () => {
    expect(isFaultOf("scheduling.policy[1]", "scheduling.policy")).toBe(true);
    expect(isFaultOf("scheduling.policy_x", "scheduling.policy")).toBe(false);
    expect(pathOf("combinations[0].misc.threads[1]")).toEqual([
      "combinations",
      0,
      "misc",
      "threads",
      1,
    ]);
  });

  it("are marked at the very item, under a short name too", () => {
    const text = "scheduling:\n  slots: [2, -1]\n";
    const place = placeOf(read(text), pathOf("scheduling.max_running_requests[1]"), GROUPS);
    expect(text.slice(place.from, place.to)).toBe("-1");
  });

  it("of what is missing are marked at what lacks it", () => {
    const text = "name: a\nmodel: {served_name: x}\n";
    const place = placeOf(read(text), pathOf("model.id"), GROUPS);
    expect(text.slice(place.from, place.to)).toBe("{served_name: x}");
  });
});

describe("completion", () => {
  const at = (marked: string) => {
    const position = marked.indexOf("|");
    const found = completionAt(marked.replace("|", ""), position, GROUPS, (spec) =>
      Array.isArray(spec.choices) ? spec.choices : ["fcfs", "priority"],
    );
    return found?.options.map((option) => option.label) ?? [];
  };

  it("offers groups at the top and fields inside", () => {
    expect(at("sch|")).toEqual(expect.arrayContaining(["scheduling", "name", "model"]));
    expect(at("scheduling:\n  max|")).toEqual(["policy", "max_running_requests"]);
    expect(at("scheduling: {pol|")).toEqual(["policy", "max_running_requests"]);
    expect(at("optimization:\n  |")).toEqual(["strategy", "budget", "parallel_launches"]);
    expect(at("optimization:\n  budget: {|")).toEqual(["experiments"]);
  });

  it("offers the choices of a value, in a list too", () => {
    expect(at("optimization:\n  strategy: |")).toEqual(["auto", "grid"]);
    expect(at("scheduling: {policy: [fcfs, |")).toEqual(["fcfs", "priority"]);
  });

  it("leaves comments alone", () => {
    expect(at("# sched|")).toEqual([]);
  });
});
