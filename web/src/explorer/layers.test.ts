import { describe, expect, it } from "vitest";
import { SvgPen } from "~/charts/svg-pen";
import { quantity } from "~/ui/quantities";
import { planeOf } from "./axes";
import { axisName, nameWithin } from "./draw-axes";
import { drawChart } from "./draw-chart";
import { layersOf, limitLines } from "./layers";
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
};

function layers(
  colorByOrder = false,
  pinned: number[] = [],
  limits = {},
  reference: number[] = [],
) {
  const scene = sceneOf(
    set,
    plane,
    frontiersOf(set, plane),
    { kind: "both", frontierOnly: false, dimDominated: true, greyOutside: true },
    meetingMask(set, limits),
    null,
  );
  const segments = segmentsOf(set, scene);
  const shown = { set, scene, segments, colorByOrder, pinned, recommended: 1, reference };
  return layersOf(shown, palette);
}

const marks = (all: ReturnType<typeof layers>) => [...all.points, ...all.best];

describe("layersOf", () => {
  it("has every shown point once", () => {
    const found = marks(layers()).flatMap(({ places }) => [...places]);
    expect(found).toHaveLength(8);
    expect(found.filter((_, at) => at % 2 === 1).sort((a, b) => a - b)).toEqual([
      100, 500, 700, 900,
    ]);
  });

  it("greys what misses the limits", () => {
    const grey = marks(layers(false, [], { ttft_ms: 150 })).filter(
      ({ color }) => color === "outside",
    );
    expect(grey.flatMap(({ places }) => [...places])).toHaveLength(4);
  });

  it("tells measured from predicted points by their shape too", () => {
    const shapes = marks(layers()).map(({ color, shape }) => `${color} ${shape}`);
    expect(new Set(shapes)).toEqual(new Set(["measured circle", "predicted diamond"]));
  });

  it("puts squares around the points of the baseline, and a line from load to load", () => {
    const { rings, frontiers } = layers(false, [], {}, [0, 1]);
    const squares = rings.filter(({ shape }) => shape === "square");
    expect(squares.map(({ places }) => places.length)).toEqual([4]);
    expect(frontiers.filter(({ color }) => color === "ring")).toHaveLength(1);
    expect(layers().frontiers.filter(({ color }) => color === "ring")).toHaveLength(0);
  });

  it("colours measured points by the part of the search they are of", () => {
    const colors = marks(layers(true)).map(({ color }) => color);
    expect(colors).toContain("o0");
    expect(colors).toContain("o3");
    expect(colors).toContain("predicted");
    expect(colors).not.toContain("measured");
  });

  it("letters the pinned points in their order", () => {
    const { letters } = layers(false, [2, 0]);
    expect(letters.map(({ text, places }) => [text, places[1]])).toEqual([
      ["A", 100],
      ["B", 500],
    ]);
  });
});

describe("limitLines", () => {
  it("draws a limit of TPOT across the speed that a user sees", () => {
    const speed = { ...frame, plane: { ...plane, x: quantity("tok_s_per_user"), logX: false } };
    const [line] = limitLines({ tpot_ms: 25 }, speed, palette);
    expect([...(line?.places ?? [])]).toEqual([40, 0, 40, 1000]);
    expect(limitLines({ e2e_p90_ms: 1 }, frame, palette)).toEqual([]);
  });
});

describe("drawChart", () => {
  const drawn = (of = frame, limits = {}) => {
    const pen = new SvgPen(of.size);
    drawChart(pen, of, layers(false, [0]), palette, limitLines(limits, of, palette));
    return pen.document();
  };
  const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([, text]) => text);
  const places = (svg: string) =>
    [...svg.matchAll(/<use[^>]* x="([^"]*)" y="([^"]*)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);

  it("names figure, unit and scale, with an arrow to where it is better", () => {
    expect(axisName(plane.x, true)).toBe("← better  Time to first token, mean (ms), log");
    expect(nameWithin(900, plane.x, true)).toBe(axisName(plane.x, true));
    expect(nameWithin(260, plane.x, true)).toBe("← better  TTFT (ms), log");
    expect(texts(drawn())).toContain("Throughput (tok/s)  better →");
  });

  it("labels places with their values", () => {
    expect(texts(drawn())).toEqual(expect.arrayContaining(["100", "300", "800", "A"]));
  });

  it("puts a point where its values are", () => {
    // 100 ms lies a third along 31.6 to 1,000, and 500 tok/s half way up.
    const [left, width] = [74, 800 - 74 - 22];
    expect(places(drawn())).toContainEqual([
      Math.round(100 * (left + width / 3)) / 100,
      14 + 440 / 2,
    ]);
  });

  it("leaves out marks that are not in sight, and draws limits over the points", () => {
    const near = { ...frame, spans: { x: { low: 1.9, high: 2.1 }, y: { low: 400, high: 600 } } };
    // The point and the ring around it.
    expect(places(drawn(near))).toHaveLength(2);
    expect(drawn()).not.toContain('stroke="limit"');
    expect(drawn(frame, { ttft_ms: 200 })).toContain('stroke="limit"');
  });
});
