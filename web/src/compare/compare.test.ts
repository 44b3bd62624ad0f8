import { describe, expect, it } from "vitest";
import { point } from "~/explorer/testing-points";
import { changesBetween } from "./changes";
import { looks } from "./plane-option";
import { compareSearch, fileIds, taskNumbers } from "./search-params";
import { differingRows, mixedWith, workloadOf } from "./series";
import { aSeries } from "./testing-series";

const at = (value: number, spread: number) => ({
  value,
  low: value - spread,
  high: value + spread,
});
const measured = (tensor: number, ttft: ReturnType<typeof at> | number, load = 8) =>
  point({
    settings: { "parallel.tensor_parallel": tensor, "system.backend_version": "0.24.0" },
    figures: { ttft_ms: ttft },
    load,
  });

describe("the address", () => {
  it("keeps numbers and ids, once each and not too many", () => {
    expect(taskNumbers("3,1,3,x,-2,0")).toEqual([3, 1]);
    expect(taskNumbers("1,2,3,4,5,6,7,8,9")).toHaveLength(8);
    expect(fileIds(`${"ab".repeat(8)},../etc`)).toEqual(["ab".repeat(8)]);
    expect(compareSearch({ tasks: 7, x: "<script>", y: "ttft_ms", log: "z" })).toEqual({
      tasks: "7",
      y: "ttft_ms",
    });
  });
});

describe("series of something else", () => {
  it("are known by model and workload, whoever owns the model", () => {
    const first = aSeries();
    expect(mixedWith(first, aSeries({ model: "qwen3-8b" }))).toEqual([]);
    expect(mixedWith(first, aSeries({ model: "llama-3-1-8b", workload: "D(8,8)" }))).toEqual([
      "model",
      "workload",
    ]);
    // What a file does not state is not known to differ.
    expect(mixedWith(first, aSeries({ model: "", workload: "" }))).toEqual([]);
  });

  it("are drawn unlike the others", () => {
    const [one, two] = looks([false, true], false);
    expect(one?.isMarked).toBe(false);
    expect(two?.isMarked).toBe(true);
    expect(one?.color).not.toBe(two?.color);
  });

  it("are never paired point by point", () => {
    const items = [measured(2, at(100, 5))];
    const other = aSeries({ items, workload: "D(8,8)" });
    expect(changesBetween(aSeries({ items }), other).every(({ pairs }) => pairs === 0)).toBe(true);
  });
});

describe("changes", () => {
  it("are of the same settings and load, whatever the engine's version", () => {
    const then = aSeries({ items: [measured(2, at(100, 5)), measured(4, at(50, 5))] });
    const now = aSeries({ items: [measured(2, at(130, 5)), measured(4, at(50, 5), 16)] });
    const ttft = changesBetween(then, now).find((one) => one.quantity === "ttft_ms");
    expect(ttft).toMatchObject({ pairs: 1, judged: 1, better: 0, worse: 1 });
    expect(ttft?.median).toBeCloseTo(0.3);
  });

  it("are not called clear without intervals, or where these meet", () => {
    const then = aSeries({ items: [measured(2, 100), measured(4, at(100, 10))] });
    const now = aSeries({ items: [measured(2, 200), measured(4, at(110, 10))] });
    const ttft = changesBetween(then, now).find((one) => one.quantity === "ttft_ms");
    expect(ttft).toMatchObject({ pairs: 2, judged: 1, better: 0, worse: 0 });
  });
});

describe("what differs", () => {
  it("is among facts, and among settings of those that have a best point", () => {
    const best = measured(2, 100);
    const rows = differingRows([
      aSeries({ best }),
      aSeries({ best: measured(4, 100), facts: { engine: "sglang" } }),
      aSeries(),
    ]);
    expect(rows.find(({ path }) => path === "engine")?.values).toEqual(["vllm", "sglang", "vllm"]);
    expect(rows.find(({ path }) => path === "parallel.tensor_parallel")?.values).toEqual([
      "2",
      "4",
      "–",
    ]);
    expect(rows.some(({ path }) => path === "system.backend_version")).toBe(false);
  });

  it("knows a workload by its lengths", () => {
    expect(workloadOf({ runtime: { isl: 8, osl: 4 } })).toBe("D(8,4)");
    expect(workloadOf({ benchmark: { workload: "N(480,240)/(300,150)" } })).toBe(
      "N(480,240)/(300,150)",
    );
    expect(workloadOf({})).toBe("");
  });
});
