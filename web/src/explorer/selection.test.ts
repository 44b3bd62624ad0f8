import { describe, expect, it } from "vitest";
import { figureRows, picked, settingRows, swapped, varyingSettings } from "./selection";
import { point } from "./testing-points";

describe("picking", () => {
  const none = { pinned: null, compared: null };

  it("pins, then compares, then compares with another", () => {
    const first = picked(none, "a");
    expect(first).toEqual({ pinned: "a", compared: null });
    const second = picked(first, "b");
    expect(second).toEqual({ pinned: "a", compared: "b" });
    expect(picked(second, "c")).toEqual({ pinned: "a", compared: "c" });
  });

  it("lets go of a point that is picked again; the other one stays", () => {
    expect(picked({ pinned: "a", compared: "b" }, "a")).toEqual({ pinned: "b", compared: null });
    expect(picked({ pinned: "a", compared: "b" }, "b")).toEqual({ pinned: "a", compared: null });
    expect(picked({ pinned: "a", compared: null }, "a")).toEqual(none);
  });

  it("swaps two, and leaves one where it is", () => {
    expect(swapped({ pinned: "a", compared: "b" })).toEqual({ pinned: "b", compared: "a" });
    expect(swapped({ pinned: "a", compared: null })).toEqual({ pinned: "a", compared: null });
  });
});

describe("settings", () => {
  const a = point({ settings: { "p.tp": 1, "s.max": 8, "q.kv": "fp8" } });
  const b = point({ settings: { "p.tp": 2, "s.max": 8 } });

  it("vary where a value differs, or is not set everywhere", () => {
    expect(varyingSettings([a, b])).toEqual(["p.tp", "q.kv"]);
    expect(varyingSettings([b, a])).toEqual(["p.tp", "q.kv"]);
    expect(varyingSettings([a])).toEqual([]);
  });

  it("come with the differences first", () => {
    const { differing, same } = settingRows([a, b], ["p.tp", "q.kv"]);
    expect(differing.map(({ name }) => name)).toEqual(["p.tp", "q.kv"]);
    expect(differing[1]?.values).toEqual(["fp8", null]);
    expect(same.map(({ name }) => name)).toEqual(["load", "s.max"]);
  });

  it("of one point begin with what varies in the task", () => {
    const { differing, same } = settingRows([a], ["p.tp"]);
    expect(differing.map(({ name }) => name)).toEqual(["load", "p.tp"]);
    expect(same.map(({ name }) => name)).toEqual(["q.kv", "s.max"]);
  });
});

describe("figures", () => {
  it("say whether the second is better, by the way that is better", () => {
    const rows = figureRows([
      point({ figures: { tok_s: 100, ttft_ms: 50, tpot_ms: 20 } }),
      point({ figures: { tok_s: 125, ttft_ms: 75, tpot_ms: 20 } }),
    ]);
    const of = (key: string) => rows.find(({ quantity }) => quantity.key === key);
    expect(of("tok_s")).toMatchObject({ change: 0.25, isBetter: true });
    expect(of("ttft_ms")).toMatchObject({ change: 0.5, isBetter: false });
    expect(of("tpot_ms")).toMatchObject({ change: 0, isBetter: null });
    expect(of("e2e_p90_ms")).toBeUndefined();
  });

  it("have energy among them, of which less is better", () => {
    const rows = figureRows([
      point({ figures: { joules_per_output_token: 0.5 } }),
      point({ figures: { joules_per_output_token: 0.25 } }),
    ]);
    expect(rows).toMatchObject([{ values: [0.5, 0.25], change: -0.5, isBetter: true }]);
    expect(rows[0]?.quantity.unit).toBe("J/token");
  });

  it("have no change where one is missing", () => {
    const [row] = figureRows([point({ figures: { tok_s: 0 } }), point({ figures: {} })]);
    expect(row).toMatchObject({ change: null, isBetter: null });
  });
});
