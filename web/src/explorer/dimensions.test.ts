import { describe, expect, it } from "vitest";
import { isSelected } from "./brushes";
import { brushOf, type Dimension, dimensionsOf, extentOf, labelsOf } from "./dimensions";
import { PointSet } from "./point-set";
import { point } from "./testing-points";

const set = new PointSet([
  point({
    load: 1,
    figures: { tok_s: 100, ttft_ms: 10 },
    settings: { "p.tp": 1, "q.kv": "fp8", "s.same": 3 },
  }),
  point({
    load: 1,
    figures: { tok_s: 200, ttft_ms: 1000 },
    settings: { "p.tp": 8, "q.kv": null, "s.same": 3 },
  }),
  point({ load: 1, figures: { tok_s: 150, ttft_ms: 100 }, settings: { "p.tp": 2, "s.same": 3 } }),
]);
const of = (name: string) => dimensionsOf(set, [name])[0] as Dimension;

describe("dimensions", () => {
  it("are only of what varies", () => {
    const names = dimensionsOf(set, ["load", "p.tp", "s.same", "tok_s", "tpot_ms"]).map(
      ({ name }) => name,
    );
    expect(names).toEqual(["p.tp", "tok_s"]);
  });

  it("give each of few values the same room, in the order of numbers", () => {
    expect(of("p.tp")).toMatchObject({ kind: "choices", choices: ["1", "2", "8"] });
    expect([...of("p.tp").positions].map((position) => Math.round(position * 6))).toEqual([
      1, 5, 3,
    ]);
    expect(of("q.kv")).toMatchObject({ choices: ["engine's default", "fp8"] });
  });

  it("run figures so that better lies further up, over decades in powers of ten", () => {
    expect([...of("tok_s").positions]).toEqual([0, 1, 0.5]);
    expect([...of("ttft_ms").positions]).toEqual([1, 0, 0.5]);
  });

  it("label what lies where", () => {
    expect(labelsOf(of("p.tp")).map(({ text }) => text)).toEqual(["1", "2", "8"]);
    expect(labelsOf(of("ttft_ms"))[0]).toEqual({ position: 0, text: "1,000\u00a0ms" });
    expect(labelsOf(of("ttft_ms")).at(-1)).toEqual({ position: 1, text: "10\u00a0ms" });
  });

  it("become a range where a setting has many numbers", () => {
    const many = new PointSet(
      Array.from({ length: 20 }, (_, index) => point({ settings: { "a.b": index } })),
    );
    expect(dimensionsOf(many, ["a.b"])[0]?.kind).toBe("range");
  });
});

describe("brushes on dimensions", () => {
  it("select nothing less than everything where they span the axis", () => {
    expect(brushOf(of("tok_s"), { low: 0.01, high: 0.99 })).toBeNull();
    expect(brushOf(of("p.tp"), { low: 0.1, high: 0.9 })).toBeNull();
  });

  it("are open at the ends of the axis, whichever way it runs", () => {
    expect(brushOf(of("tok_s"), { low: 0.5, high: 1 })).toEqual({ low: 150, high: null });
    const fast = brushOf(of("ttft_ms"), { low: 0.5, high: 1 });
    expect(fast).toEqual({ low: null, high: 100 });
    expect(set.points.map((one) => isSelected(one, { ttft_ms: fast as never }))).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("select the choices inside them", () => {
    expect(brushOf(of("p.tp"), { low: 0.3, high: 1 })).toEqual({ values: ["2", "8"] });
  });

  it("lie where they were drawn", () => {
    for (const name of ["tok_s", "ttft_ms"]) {
      const extent = { low: 0.2, high: 0.7 };
      const back = extentOf(of(name), brushOf(of(name), extent) ?? undefined);
      expect(back.low).toBeCloseTo(0.2);
      expect(back.high).toBeCloseTo(0.7);
    }
    expect(extentOf(of("p.tp"), { values: ["2", "8"] })).toEqual({ low: 1 / 3, high: 1 });
    expect(extentOf(of("ttft_ms"), { low: null, high: 100 })).toEqual({ low: 0.5, high: 1 });
    expect(extentOf(of("tok_s"), undefined)).toEqual({ low: 0, high: 1 });
  });

  it("of values that are gone select nothing", () => {
    expect(extentOf(of("p.tp"), { values: ["16"] })).toEqual({ low: 0, high: 0 });
  });
});
