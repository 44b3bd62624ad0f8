import { describe, expect, it } from "vitest";
import type { FieldSpec, InputKind } from "./task-schema";
import { textOf, typedValue } from "./typed-values";

const spec = (kind: InputKind, choices: FieldSpec["choices"] = []): FieldSpec => ({
  name: "misc.threads",
  path: ["misc", "threads"],
  title: "Threads",
  description: "",
  unit: "",
  group: "misc",
  order: 0,
  isAdvanced: false,
  isSearchable: true,
  kind,
  itemKind: "text",
  choices,
  engines: null,
  engineDefaults: {},
  fallback: undefined,
});

describe("typed values", () => {
  it.each<[InputKind, string, unknown]>([
    ["integer", "1,024", 1024],
    ["integer", " 8 ", 8],
    ["number", "0.85", 0.85],
    ["number", "1e3", 1000],
    ["boolean", "on", true],
    ["boolean", "off", false],
    ["text", "fcfs", "fcfs"],
    ["list", '--lora "my adapter" -x', ["--lora", "my adapter", "-x"]],
    ["yaml", "{rate: 2.5}", { rate: 2.5 }],
  ])("%s %s", (kind, text, value) => {
    expect(typedValue(spec(kind), kind, text)).toEqual({ value });
  });

  it.each<[InputKind, string]>([
    ["integer", "1.5"],
    ["integer", "eight"],
    ["number", "12px"],
    ["number", "1,5"],
    ["number", "Infinity"],
    ["boolean", "perhaps"],
    ["yaml", "{a: "],
  ])("%s refuses %s and says why", (kind, text) => {
    expect(typedValue(spec(kind), kind, text)).toHaveProperty("fault");
  });

  it("takes words beside numbers", () => {
    expect(typedValue(spec("integer", ["auto"]), "integer", "auto")).toEqual({ value: "auto" });
  });

  it("writes arguments so that they are read the same", () => {
    const words = ["--a", "with space", 'quote"', "\\back"];
    const text = textOf("list", words);
    expect(typedValue(spec("list"), "list", text)).toEqual({ value: words });
  });
});
