import { describe, expect, it } from "vitest";
import type { OperatingPoint } from "~/api/points";
import type { Task } from "~/api/tasks";
import { LIGHT } from "~/charts/palette";
import { SvgPen } from "~/charts/svg-pen";
import { planeOf } from "~/explorer/axes";
import { PointSet } from "~/explorer/point-set";
import { point } from "~/explorer/testing-points";
import { changesBetween, leftOutInWords } from "./changes";
import { dotName, dotRows, dotsOf, nearestDot, varyingSettings } from "./dots";
import { drawPicture, layersOfSeries, pictureSize, spansOfPlanes } from "./draw-series";
import { type Drawing, dotsCsv } from "./exports";
import { lookAt, strokeOf } from "./looks";
import { isComparable, marksOf, warnings } from "./mixture";
import { compareSearch, fileIds, MOST_SERIES, taskNumbers, withFirst } from "./search-params";
import {
  differingRows,
  drawnSeries,
  type Series,
  seriesOfFile,
  seriesOfTask,
  workloadOf,
} from "./series";
import { aFile, aSeries } from "./testing-series";
import { ownersOf } from "./use-limits";

const at = (value: number, spread: number) => ({
  value,
  low: value - spread,
  high: value + spread,
});
const measured = (tensor: number, ttft: ReturnType<typeof at> | number, load = 8) =>
  point({
    settings: {
      "parallel.tensor_parallel": tensor,
      "system.backend": "vllm",
      "system.backend_version": "0.24.0",
      "system.gpu_type": "h100_sxm",
    },
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

describe("the baseline", () => {
  it("is what is put before the others, of tasks as of files, however many there are", () => {
    const files = ["a", "b", "c"].map((letter) => letter.repeat(16));
    const search = { tasks: "1,2,3,4,5", files: files.join(",") };
    const [one, two, three] = files as [string, string, string];
    for (const id of [1, 2, 3, 4, 5]) {
      const others = [1, 2, 3, 4, 5].filter((other) => other !== id);
      const found = withFirst(search, { taskId: id, fileId: null });
      expect(found).toEqual({ tasks: [id, ...others].join(",") });
    }
    const found = withFirst(search, { taskId: null, fileId: three });
    expect(found).toEqual({ files: [three, one, two].join(",") });
    expect(withFirst({ tasks: "1,2" }, { taskId: 9, fileId: null })).toEqual({ tasks: "1,2" });
  });
});

describe("series of something else", () => {
  it("are known by model and workload, whoever owns the model", () => {
    const first = aSeries();
    expect(marksOf([first, aSeries({ model: "qwen3-8b" })])).toEqual([[], []]);
    expect(marksOf([first, aSeries({ model: "llama-3-1-8b", workload: "D(8,8)" })])).toEqual([
      [],
      ["other model", "other workload"],
    ]);
  });

  it("are what does not state its model or workload", () => {
    const silent = aSeries({ name: "silent", model: "", workload: "" });
    const both = [aSeries(), silent];
    expect(marksOf(both)[1]).toEqual(["model not stated", "workload not stated"]);
    expect(warnings(both, marksOf(both))).toEqual([
      "silent does not state its model and workload.",
    ]);
    expect(isComparable(aSeries(), silent)).toBe(false);
    expect(warnings([silent], marksOf([silent]))).toEqual([]);
  });

  it("are found between any two, not between the first and the others alone", () => {
    const series = [
      aSeries({ model: "" }),
      aSeries({ name: "one" }),
      aSeries({ name: "two", model: "llama-3-1-8b" }),
    ];
    expect(marksOf(series)).toEqual([["model not stated"], [], ["other model"]]);
    expect(warnings(series, marksOf(series))).toContain("two has another model.");
  });

  it("and predictions are drawn unlike the others", () => {
    const strokes = [strokeOf(false, false), strokeOf(true, false), strokeOf(true, true)];
    expect(strokes).toEqual(["solid", "dashed", "dotted"]);
    const given = strokes.map((stroke, place) => lookAt(place, stroke, false));
    expect(given[0]?.color).not.toBe(given[1]?.color);
    const set = new PointSet([point({ figures: { tok_s: 1, ttft_ms: 2 } })]);
    const plane = planeOf(set, { x: "ttft_ms", y: "tok_s", logX: false, logY: false });
    const dots = dotsOf(plane, false, []);
    const { best, frontiers } = layersOfSeries([dots, dots, dots], given);
    expect(best.map(({ outline }) => outline !== undefined)).toEqual([false, true, true]);
    expect(new Set(frontiers.map(({ dash }) => String(dash))).size).toBe(3);
  });

  it("are never paired point by point", () => {
    const items = [measured(2, at(100, 5))];
    for (const other of [{ workload: "D(8,8)" }, { model: "" }]) {
      const { pairs } = changesBetween(aSeries({ items }), aSeries({ items, ...other }));
      expect(pairs).toEqual([]);
    }
  });
});

describe("a file", () => {
  it("of several models and workloads is as many series", () => {
    const of = (model: string, workload: string) => ({ model, workload, engine: "vllm" });
    const series = seriesOfFile(
      aFile([of("Qwen3-8B", "D(8,4)"), of("llama", "D(8,4)"), of("qwen3-8b", "D(8,4)"), {}]),
    );
    expect(series.map(({ model, points }) => [model, points.size])).toEqual([
      ["Qwen3-8B", 2],
      ["llama", 1],
      ["", 1],
    ]);
    expect(series[0]?.name).toBe("theirs.csv: Qwen3-8B, D(8,4)");
    expect(series[2]?.name).toBe("theirs.csv: model not stated, workload not stated");
    expect(new Set(series.map(({ key }) => key)).size).toBe(3);
    expect(series.every(({ partOf }) => partOf === "theirs.csv")).toBe(true);
    expect(series[1]?.facts.engine).toBe("vllm");
  });

  it("of predictions says so, and when it was uploaded is not when a run ended", () => {
    const [one, ...rest] = seriesOfFile(aFile([{ kind: "predicted" }]));
    expect(rest).toEqual([]);
    expect(one).toMatchObject({ isPredicted: true, name: "theirs.csv", partOf: null });
    expect(one?.facts).not.toHaveProperty("ended");
    const rows = differingRows([aSeries(), one as Series]);
    expect(rows.find(({ path }) => path === "uploaded")?.values).toEqual(["–", expect.any(String)]);
  });
});

describe("changes", () => {
  it("are of the same settings and load, whatever the engine's version", () => {
    const then = aSeries({ items: [measured(2, at(100, 5)), measured(4, at(50, 5))] });
    const now = aSeries({ items: [measured(2, at(130, 5)), measured(4, at(50, 5), 16)] });
    const ttft = changesBetween(then, now).rows.find((one) => one.quantity === "ttft_ms");
    expect(ttft).toMatchObject({ pairs: 1, judged: 1, better: 0, worse: 1, isBetter: false });
    expect(ttft?.median).toBeCloseTo(0.3);
  });

  it("are not called clear without intervals, or where these meet", () => {
    const then = aSeries({ items: [measured(2, 100), measured(4, at(100, 10))] });
    const now = aSeries({ items: [measured(2, 200), measured(4, at(110, 10))] });
    const ttft = changesBetween(then, now).rows.find((one) => one.quantity === "ttft_ms");
    expect(ttft).toMatchObject({ pairs: 2, judged: 1, better: 0, worse: 0, isBetter: null });
  });

  it("are coloured only where intervals judge more than half of the pairs", () => {
    const then = [measured(1, 100), measured(2, at(100, 5)), measured(4, 100)];
    const now = [measured(1, 50), measured(2, at(50, 5)), measured(4, 50)];
    const ttft = (first: OperatingPoint[], other: OperatingPoint[]) =>
      changesBetween(aSeries({ items: first }), aSeries({ items: other })).rows.find(
        (one) => one.quantity === "ttft_ms",
      );
    expect(ttft(then, now)).toMatchObject({ pairs: 3, judged: 1, better: 1, isBetter: null });
    expect(ttft(then.slice(1, 2), now.slice(1, 2))).toMatchObject({ better: 1, isBetter: true });
  });

  it("are not of another engine, another GPU or another number of them, or a prediction", () => {
    const one = measured(2, 100);
    const unlike: OperatingPoint[] = [
      { ...one, settings: { ...one.settings, "system.backend": "sglang" } },
      { ...one, settings: { ...one.settings, "system.gpu_type": "a100_sxm" } },
      { ...one, gpus: 4 },
      { ...one, kind: "predicted" },
    ];
    const first = aSeries({ items: [one] });
    expect(changesBetween(first, aSeries({ items: [one] })).pairs).toHaveLength(1);
    for (const items of unlike.map((other) => [other])) {
      expect(changesBetween(first, aSeries({ items })).pairs).toEqual([]);
    }
  });

  it("leave out points that do not say what they are, or that others of their series are too", () => {
    const of = { model: "Qwen3-8B", workload: "D(1024,512)", engine: "vllm", system: "h100_sxm" };
    const [silent] = seriesOfFile(aFile([{ ...of }, { ...of, system: null }], "silent.csv"));
    const found = changesBetween(silent as Series, silent as Series);
    expect(found).toMatchObject({ pairs: [], unstated: 4, ambiguous: 0 });
    const twice = aSeries({ name: "twice", items: [measured(2, 100), measured(2, 90)] });
    const once = aSeries({ items: [measured(2, 100)] });
    expect(changesBetween(once, twice)).toMatchObject({ pairs: [], unstated: 0, ambiguous: 2 });
    expect(leftOutInWords([found, changesBetween(once, twice)])).toBe(
      "Points that take no part: with silent.csv 4 without settings, engine or GPU; " +
        "with twice 2 that others of their series equal.",
    );
    expect(leftOutInWords([changesBetween(once, once)])).toBeNull();
  });

  it("are of tasks on the device that they ran on, each point with its own engine", () => {
    const config = { runtime: { isl: 8, osl: 4 } };
    const best = null;
    const task = {
      id: 1,
      name: "both",
      model: "m",
      engine: "vllm, sglang",
      device: "2 x h100_sxm",
    };
    const given = { ...task, config, best } as unknown as Task;
    const items = ["vllm", "sglang"].map((engine) =>
      point({ settings: { "system.backend": engine }, figures: { ttft_ms: 10 } }),
    );
    const one = seriesOfTask(given, { items, total: 2, objectives: [], slo: {} });
    const [first] = one.points.points;
    expect(first?.settings).toEqual({ "system.backend": "vllm", "system.gpu_type": "h100_sxm" });
    expect(changesBetween(one, one)).toMatchObject({ unstated: 0, ambiguous: 0 });
    expect(changesBetween(one, one).pairs).toHaveLength(2);
  });
});

describe("predictions of a task", () => {
  const predicted = new PointSet([point({ kind: "predicted", figures: { tok_s: 4, ttft_ms: 4 } })]);
  const both = [aSeries({ predictions: predicted }), aSeries({ key: "file x", taskId: null })];

  it("are a series of their own, after it and in its colour, where they are asked for", () => {
    expect(drawnSeries(both, false).map(({ series }) => series)).toEqual(both);
    const drawn = drawnSeries(both, true);
    expect(drawn.map(({ place, isCompanion }) => [place, isCompanion])).toEqual([
      [0, false],
      [0, true],
      [1, false],
    ]);
    expect(drawn[1]?.series).toMatchObject({ isPredicted: true, points: predicted, taskId: 1 });
    expect(new Set(drawn.map(({ series: { key } }) => key)).size).toBe(3);
  });

  it("come from its points, and are not among what it measured", () => {
    const task = { id: 1, name: "one", model: "m", engine: "vllm", device: "cpu" };
    const given = { ...task, config: {}, best: null } as unknown as Task;
    const items = [point({}), point({ kind: "predicted" })];
    const one = seriesOfTask(given, { items, total: 2, objectives: [], slo: { ttft_ms: 300 } });
    expect([one.points.size, one.predictions?.size]).toEqual([1, 1]);
    expect(one.slo).toEqual({ ttft_ms: 300 });
  });
});

describe("limits", () => {
  it("are those of the first task that has any, and others are named", () => {
    const [none, first, same, other] = [
      aSeries({ name: "none" }),
      aSeries({ name: "first", slo: { ttft_ms: 300, tpot_ms: 50 } }),
      aSeries({ name: "same", slo: { tpot_ms: 50, ttft_ms: 300 } }),
      aSeries({ name: "other", slo: { ttft_ms: 200 } }),
    ];
    const file = aSeries({ taskId: null });
    const { owner, otherwise } = ownersOf([none, first, same, other, file]);
    expect(owner).toBe(first);
    expect(otherwise).toEqual([none, other]);
    expect(ownersOf([none])).toEqual({ owner: null, otherwise: [] });
    // What is asked of another model is not asked of this one.
    const elsewhere = aSeries({ model: "llama", slo: { ttft_ms: 9 } });
    expect(ownersOf([none, elsewhere]).owner).toBeNull();
    expect(ownersOf([elsewhere, none]).owner).toBe(elsewhere);
  });

  it("stand in the address, where they are limits", () => {
    expect(compareSearch({ slo: "ttft_ms:250,x:-1" })).toEqual({ slo: "ttft_ms:250" });
    expect(compareSearch({ slo: "none", with: "predictions" })).toEqual({
      slo: "none",
      with: "predictions",
    });
  });
});

describe("files of what is compared", () => {
  const item = point({ figures: { tok_s: 1, ttft_ms: 2 }, settings: { a: 1 } });
  const series = [aSeries({ items: [item], name: "=mine, <one>" })];
  const axes = { x: "ttft_ms", y: "tok_s", logX: false, logY: false };
  const dots = series.map(({ points }) => dotsOf(planeOf(points, axes), false, points.points));
  const looks = [lookAt(0, "solid", false)];

  it("name each point's series, model and workload", () => {
    const drawing = { series, dots, varying: ["a"], choices: [] } as unknown as Drawing;
    const [head, row] = dotsCsv(drawing).split("\r\n");
    expect(head).toMatch(/^series,model,workload,id,kind,.*,a$/);
    expect(row).toMatch(/^"'=mine, <one>",Qwen\/Qwen3-8B,"D\(1024,512\)",/);
  });

  it("hold the names of the series and the limits as lines", () => {
    const pen = new SvgPen(pictureSize(1));
    const plane = (dots[0] as (typeof dots)[number]).plane;
    const frame = { plane, spans: spansOfPlanes([plane]) };
    const layers = layersOfSeries(dots, looks);
    const names = series.map(({ name }) => name);
    const limits = { ttft_ms: 2 };
    drawPicture(pen, { frame, layers, looks, limits, names }, LIGHT);
    const drawn = pen.document();
    expect(drawn).toContain("=mine, &lt;one&gt;");
    expect(drawn).toContain(`stroke="${LIGHT.limit}"`);
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

describe("dots", () => {
  const at = (tok_s: number, ttft: number) => point({ figures: { tok_s, ttft_ms: ttft } });
  const plane = (items: OperatingPoint[]) =>
    planeOf(new PointSet(items), { x: "ttft_ms", y: "tok_s", logX: false, logY: false });

  it("have as many forms as there are series", () => {
    const given = Array.from({ length: MOST_SERIES }, (_, place) => lookAt(place, "solid", false));
    expect(new Set(given.map(({ shape }) => shape)).size).toBe(MOST_SERIES);
    expect(new Set(given.map(({ color }) => color)).size).toBe(MOST_SERIES);
  });

  it("are all rows of the table, those of the second series too, as the chart draws them", () => {
    const many = Array.from({ length: 300 }, (_, place) => at(place, 300 - place));
    const few = [at(1, 10), at(2, 10), point()];
    const series = [aSeries({ items: many }), aSeries({ key: "task 2", items: few })];
    const rows = (only: boolean) =>
      dotRows(series, [dotsOf(plane(many), only, []), dotsOf(plane(few), only, [])]);
    expect(rows(false)).toHaveLength(302);
    expect(rows(false).at(-1)).toMatchObject({ series: { key: "task 2" }, point: few[1] });
    expect(rows(true).filter(({ series: { key } }) => key === "task 2")).toHaveLength(1);
  });

  it("are found near the pointer, whichever series they are of", () => {
    const dots = [[at(0, 0)], [at(50, 50), at(9, 90)]].map((some) =>
      dotsOf(plane(some), false, []),
    );
    const span = { low: 0, high: 100 };
    const area = { left: 0, top: 0, width: 100, height: 100 };
    const under = (x: number, y: number) =>
      nearestDot(dots, { x: span, y: span }, area, { x, y }, 10);
    expect(under(52, 49)).toEqual({ series: 1, index: 0 });
    expect(under(1, 98)).toEqual({ series: 0, index: 0 });
    expect(under(90, 10)).toBeNull();
  });

  it("say what they are, and in which settings they differ", () => {
    const [launched, file] = [
      point({ experiment_index: 3, settings: { a: 1, b: 2, c: 5 } }),
      point({
        experiment_index: null,
        candidate: "tp2 dp2",
        kind: "predicted",
        settings: { a: 1, b: 3 },
      }),
    ];
    expect(dotName(launched)).toMatch(/^#3 at 8/);
    expect(dotName(file)).toMatch(/^tp2 dp2 at 8.*, predicted$/);
    const series = [aSeries({ items: [launched] }), aSeries({ items: [file] })];
    expect(varyingSettings(series)).toEqual(["b", "c"]);
  });
});
