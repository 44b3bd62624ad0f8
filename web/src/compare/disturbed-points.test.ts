import { describe, expect, it } from "vitest";
import type { OperatingPoint } from "~/api/points";
import { planeOf } from "~/explorer/axes";
import { PointSet } from "~/explorer/point-set";
import { point } from "~/explorer/testing-points";
import { changesBetween, notJudgedInWords } from "./changes";
import { dotName, dotsOf } from "./dots";
import { layersOfSeries } from "./draw-series";
import { type Drawing, dotsCsv } from "./exports";
import { lookAt } from "./looks";
import { meetingInWords } from "./meeting";
import { differingRows } from "./series";
import { aSeries } from "./testing-series";

const AXES = { x: "ttft_ms", y: "tok_s", logX: false, logY: false };

function measured(ttft: number, load: number, given: Partial<OperatingPoint> = {}): OperatingPoint {
  const made = point({
    settings: { "system.backend": "vllm", "system.gpu_type": "h100_sxm" },
    figures: { ttft_ms: { value: ttft, low: ttft - 1, high: ttft + 1 }, tok_s: load },
    load,
  });
  return { ...made, ...given };
}

describe("points that were disturbed", () => {
  it("are neither clearly better nor clearly worse, on whichever side they are", () => {
    const disturbed = { is_disturbed: true };
    const then = [measured(100, 1), measured(100, 2, disturbed), measured(100, 4)];
    const now = [measured(50, 1), measured(200, 2), measured(200, 4, disturbed)];
    const changes = changesBetween(aSeries({ items: then }), aSeries({ name: "now", items: now }));
    const ttft = changes.rows.find((one) => one.quantity === "ttft_ms");
    expect(ttft).toMatchObject({ pairs: 3, judged: 1, better: 1, worse: 0, isBetter: null });
    expect(notJudgedInWords([changes])).toMatch(/better nor worse: with now 2 of 3\.$/);
    const sound = aSeries({ items: [measured(100, 1)] });
    expect(notJudgedInWords([changesBetween(sound, sound)])).toBeNull();
  });

  it("are drawn pale and hollow, and named in the note, the table and the CSV", () => {
    const items = [measured(10, 8), measured(20, 4, { is_disturbed: true })];
    const dots = dotsOf(planeOf(new PointSet(items), AXES), false, items);
    const { points, best } = layersOfSeries([dots], [lookAt(0, "solid", false)]);
    const marks = [...points, ...best].filter(({ places }) => places.length > 0);
    expect(marks.map(({ places }) => [...places])).toEqual([
      [20, 4],
      [10, 8],
    ]);
    const [doubtful, sound] = marks;
    expect(doubtful?.outline).toBeGreaterThan(0);
    expect(sound?.outline).toBeUndefined();
    expect(doubtful?.opacity).toBeLessThan(sound?.opacity as number);
    expect(items.map(dotName).map((name) => name.endsWith(", disturbed"))).toEqual([false, true]);
    const drawing = { series: [aSeries({ items })], dots: [dots], varying: [], choices: [] };
    const [head, ...rows] = dotsCsv(drawing as unknown as Drawing).split("\r\n");
    const at = head?.split(",").indexOf("disturbed") ?? -1;
    // The workload has a comma of its own.
    expect(rows.slice(0, 2).map((row) => row.split(",")[at + 1])).toEqual(["false", "true"]);
  });

  it("are named where one is the best point of its series", () => {
    const rows = differingRows([
      aSeries({ best: measured(10, 8) }),
      aSeries({ best: measured(10, 8, { is_disturbed: true }) }),
    ]);
    const [one, other] = rows.find(({ path }) => path.startsWith("load"))?.values ?? [];
    expect(other).toBe(`${one}, disturbed`);
  });
});

describe("points within limits", () => {
  const series = aSeries({ items: [measured(10, 8), measured(20, 4)] });

  it("are counted by whose limits they are", () => {
    expect(meetingInWords(series, { ttft_ms: 15 }, false)).toBe("1 within the SLO");
    expect(meetingInWords(series, { ttft_ms: 5 }, true)).toBe("0 within these limits");
  });

  it("are not counted of a series that does not state what is limited", () => {
    expect(meetingInWords(series, { ttft_ms: 15, e2e_p90_ms: 9 }, false)).toBe(
      "does not state E2E p90",
    );
  });
});
