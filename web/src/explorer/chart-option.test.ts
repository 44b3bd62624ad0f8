import { describe, expect, it } from "vitest";
import { quantity } from "~/ui/quantities";
import { planeOf } from "./axes";
import { axesOption, limitSeries, seriesOption } from "./chart-option";
import { PointSet } from "./point-set";
import { frontiersOf, sceneOf, segmentsOf } from "./scene";
import { meetingMask } from "./slo";
import { point } from "./testing-points";

const palette = {
  text: "text",
  quiet: "quiet",
  line: "line",
  surface: "surface",
  measured: "measured",
  predicted: "predicted",
  outside: "outside",
  limit: "limit",
  ring: "ring",
  order: ["o0", "o1", "o2", "o3", "o4", "o5", "o6"],
};
const set = new PointSet([
  point({ experiment_index: 1, figures: { ttft_ms: 100, tok_s: 500, tpot_ms: 10 } }),
  point({ experiment_index: 2, figures: { ttft_ms: 200, tok_s: 900, tpot_ms: 20 } }),
  point({ experiment_index: 2, figures: { ttft_ms: 300, tok_s: 100, tpot_ms: 30 } }),
  point({ kind: "predicted", experiment_index: null, figures: { ttft_ms: 150, tok_s: 700 } }),
]);
const plane = planeOf(set, { x: "ttft_ms", y: "tok_s", logX: true, logY: false });
const frame = {
  plane,
  spans: { x: { low: 1.5, high: 3 }, y: { low: 0, high: 1000 } },
  size: { width: 800, height: 500 },
  palette,
};

function series(colorByOrder = false, pinned: number[] = [], limits = {}) {
  const scene = sceneOf(
    set,
    plane,
    frontiersOf(set, plane),
    { kind: "both", frontierOnly: false, dimDominated: true, greyOutside: true },
    meetingMask(set, limits),
    null,
  );
  const marks = {
    set,
    scene,
    segments: segmentsOf(set, scene),
    colorByOrder,
    pinned,
    recommended: 1,
  };
  return seriesOption(marks, palette) as {
    id: string;
    type: string;
    data: number[];
    itemStyle: { color: string };
  }[];
}

const points = (all: ReturnType<typeof series>) => all.filter(({ id }) => id.startsWith("points"));

describe("axesOption", () => {
  it("names figure, unit and scale, with an arrow to where it is better", () => {
    const { xAxis, yAxis } = axesOption(frame) as Record<string, { name: string; min: number }>;
    expect(xAxis?.name).toBe("← better  Time to first token, mean (ms), log");
    expect(yAxis?.name).toBe("Throughput (tok/s)  better →");
    expect(xAxis?.min).toBe(1.5);
  });

  it("labels places with their values", () => {
    const { xAxis } = axesOption(frame) as unknown as {
      xAxis: { axisLabel: { formatter: (place: number) => string; customValues: number[] } };
    };
    expect(xAxis.axisLabel.customValues.map(xAxis.axisLabel.formatter)).toContain("100");
  });
});

describe("seriesOption", () => {
  it("draws every shown point once", () => {
    const drawn = points(series()).reduce((sum, { data }) => sum + data.length / 2, 0);
    expect(drawn).toBe(4);
  });

  it("greys what misses the limits", () => {
    const grey = points(series(false, [], { ttft_ms: 150 })).filter(
      ({ itemStyle }) => itemStyle.color === "outside",
    );
    expect(grey.flatMap(({ data }) => [...data])).toHaveLength(4);
  });

  it("colours measured points by the part of the search they are of", () => {
    const colors = points(series(true)).map(({ itemStyle }) => itemStyle.color);
    expect(colors).toContain("o0");
    expect(colors).toContain("o3");
    expect(colors).toContain("predicted");
    expect(colors).not.toContain("measured");
  });

  it("letters the pinned points in their order", () => {
    const pinned = series(false, [2, 0]).find(({ id }) => id === "pinned") as unknown as {
      data: { label: { formatter: string }; value: number[] }[];
    };
    expect(pinned.data.map(({ label, value }) => [label.formatter, value[1]])).toEqual([
      ["A", 100],
      ["B", 500],
    ]);
  });
});

describe("limitSeries", () => {
  it("draws a limit of TPOT across the speed that a user sees", () => {
    const speed = { ...frame, plane: { ...plane, x: quantity("tok_s_per_user"), logX: false } };
    const [line] = limitSeries({ tpot_ms: 25 }, speed, palette) as { data: number[][] }[];
    expect(line?.data).toEqual([
      [40, 0],
      [40, 1000],
    ]);
    expect(limitSeries({ e2e_p90_ms: 1 }, frame, palette)).toEqual([]);
  });
});
