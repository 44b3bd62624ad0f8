import { describe, expect, it } from "vitest";
import { fieldRows, isToLookAt, otherNotes, shown, valueAt } from "./fields";
import { aMigratedTask } from "./testing-migrations";

describe("the fields of a task of version 1", () => {
  it("stand beside those of version 2, what changes first", () => {
    const rows = fieldRows(aMigratedTask());
    expect(rows.map(({ path }) => path)).toEqual(["base_runtime", "parameters.tp-size", "storage"]);
    expect(rows[0]).toMatchObject({ outcome: "open", note: "Say which engine it is." });
    expect(rows[1]).toMatchObject({
      before: "1, 2",
      field: "parallel.tensor_parallel",
      after: "1, 2",
      note: "",
    });
    expect(rows.filter(isToLookAt)).toHaveLength(1);
  });

  it("have the field that a note names before its value, or as version 1's default", () => {
    const notes = [
      { path: "strategy", outcome: "translated" as const, text: "optimization.strategy: grid" },
      {
        path: "max_iterations",
        outcome: "translated" as const,
        text: "left out: v1's default, optimization.budget.experiments 100",
      },
      { path: "mode", outcome: "translated" as const, text: "elsewhere: local" },
    ];
    const document = { optimization: { strategy: "grid", budget: { experiments: 100 } } };
    const [one, other, third] = fieldRows(
      aMigratedTask({ notes, document, v1_document: { strategy: "grid_search" } }),
    );
    expect(one).toMatchObject({
      before: "grid_search",
      field: "optimization.strategy",
      after: "grid",
    });
    expect(other).toMatchObject({ before: "left out", after: "100", note: "Version 1's default." });
    expect(third).toMatchObject({ field: "", note: "elsewhere: local." });
  });

  it("keep what a note says beside the field and its value", () => {
    const changed = (text: string) => ({ path: "was", outcome: "changed" as const, text });
    const notes = [
      changed("benchmark.ready_timeout_s: the time in which an engine has to be ready"),
      changed("slo.ttft_ms, in milliseconds"),
      changed("quantization.kvcache_mode: q8_0, the kind that the engine has"),
      changed("name: 'ours'"),
    ];
    const document = {
      benchmark: { ready_timeout_s: 600 },
      slo: { ttft_ms: 800 },
      quantization: { kvcache_mode: "q8_0" },
      name: "ours",
    };
    const rows = fieldRows(aMigratedTask({ notes, document, v1_document: { was: 1 } }));
    expect(rows.map(({ after, note }) => [after, note])).toEqual([
      ["600", "The time in which an engine has to be ready."],
      ["800", "In milliseconds."],
      ["q8_0", "The kind that the engine has."],
      ["ours", ""],
    ]);
  });

  it("are apart from notes of experiments and of the whole", () => {
    expect(otherNotes(aMigratedTask())).toEqual(["experiments.3.metrics: It has no raw results."]);
  });

  it("are found where a key holds dots", () => {
    expect(valueAt({ "a.b": { c: 1 }, a: 2 }, "a.b.c")).toBe(1);
    expect(valueAt({ a: 2 }, "a.b")).toBeUndefined();
    expect(valueAt(null, "a")).toBeUndefined();
  });

  it("are told in words, not as JSON", () => {
    expect(shown({ ttft: { threshold: 0.8, weight: 2 } })).toBe("ttft threshold 0.8, weight 2");
    expect(shown([1, "a", true])).toBe("1, a, true");
    expect([shown([]), shown(null), shown("")]).toEqual(["none", "–", "empty"]);
  });
});
