import { describe, expect, it } from "vitest";
import type { ConfigurationVariant, LayerOfField } from "~/api/results";
import { groupsOf, isSet, otherParts } from "./provenance";

function layer(given: Partial<LayerOfField>): LayerOfField {
  return { layer: "x", origin: "profile", value: 1, status: "set", why: "", source: "", ...given };
}

function rowsOf(fields: ConfigurationVariant["fields"], group: string) {
  const variant = {
    engine: "vllm",
    engine_version: "",
    combination: {},
    fields,
    skipped: [],
    warnings: [],
  };
  return groupsOf(variant).find((one) => one.group === group)?.rows ?? [];
}

describe("the provenance of a value", () => {
  it("is the last layer that sets it, and the others are kept beside", () => {
    const [row] = rowsOf(
      {
        "scheduling.max_running_requests": {
          value: 64,
          layers: [
            layer({ layer: "engine's defaults", origin: "engine", value: 256, status: "replaced" }),
            layer({ layer: "balanced", value: 64, why: "room for the KV cache" }),
            layer({ layer: "fast", value: 128, status: "dropped", why: "vllm cannot" }),
          ],
          unset: null,
        },
      },
      "scheduling",
    );
    expect(row).toMatchObject({
      value: "64",
      origin: "profile",
      layer: "balanced",
      why: "room for the KV cache",
      others: ["engine's defaults: 256 (replaced)", "fast: 128 (dropped), vllm cannot"],
    });
  });

  it("marks what is searched, and keeps words of a command line together", () => {
    const fields = {
      "misc.threads": { value: [2, null], layers: [layer({})], unset: null },
      "misc.extra_args": { value: ["--a", "1"], layers: [layer({})], unset: null },
    };
    const rows = rowsOf(fields, "misc");
    expect(rows.map(({ value, isSearched }) => [value, isSearched])).toEqual([
      ["2, engine's default", true],
      ["--a, 1", false],
    ]);
  });

  it("has values of launches by their size, not in the order of the search", () => {
    const launched = [layer({ origin: "launch" })];
    const [row] = rowsOf(
      { "parallel.tensor_parallel": { value: [2, 1, 8, 4], layers: launched, unset: null } },
      "parallel",
    );
    expect(row?.value).toBe("1, 2, 4, 8");
  });

  it("puts what is not set at the end, with what applies instead", () => {
    const fields = {
      "memory.page_size": { value: null, layers: [], unset: "vllm's own default counts" },
      "memory.swap_space": { value: 4, layers: [layer({})], unset: null },
    };
    const rows = rowsOf(fields, "memory");
    expect(rows.map(({ field }) => field)).toEqual(["swap_space", "page_size"]);
    expect(rows.map(isSet)).toEqual([true, false]);
    expect(rows[1]?.why).toBe("vllm's own default counts");
  });

  it("of a group without values is empty", () => {
    expect(rowsOf({}, "misc")).toEqual([]);
  });
});

it("lists the other parts of a document by their paths", () => {
  const parts = otherParts({
    version: 2,
    name: "x",
    model: { id: "m" },
    profiles: ["balanced", "fast"],
    benchmark: { load: [{ rate: 2 }, { rate: 4 }] },
    optimization: { budget: { experiments: 3 } },
  });
  expect(parts).toEqual([
    ["model.id", "m"],
    ["profiles", "balanced, fast"],
    ["optimization.budget.experiments", "3"],
    ["benchmark.load", "rate 2, rate 4"],
  ]);
});
