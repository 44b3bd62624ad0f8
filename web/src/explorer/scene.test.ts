import { describe, expect, it } from "vitest";
import { quantity } from "~/ui/quantities";
import { axisLimit, planeOf, usualAxes } from "./axes";
import { PointSet } from "./point-set";
import {
  frontiersOf,
  groupAt,
  listedIndices,
  type Shown,
  sceneOf,
  segmentsOf,
  shownIndices,
} from "./scene";
import { meetingMask } from "./slo";
import { point } from "./testing-points";

const AXES = { x: "ttft_ms", y: "tok_s", logX: false, logY: false };
const SHOWN: Shown = { kind: "both", frontierOnly: false, dimDominated: true, greyOutside: true };

function scene(
  set: PointSet,
  shown: Partial<Shown> = {},
  options: { limits?: Record<string, number>; selected?: Uint8Array; logX?: boolean } = {},
) {
  const plane = planeOf(set, { ...AXES, logX: options.logX ?? false });
  return sceneOf(
    set,
    plane,
    frontiersOf(set, plane),
    { ...SHOWN, ...shown },
    meetingMask(set, options.limits ?? {}),
    options.selected ?? null,
  );
}

const at = (ttft_ms: number, tok_s: number, given = {}) =>
  point({ figures: { ttft_ms, tok_s }, ...given });

describe("sceneOf", () => {
  const set = new PointSet([
    at(100, 500),
    at(200, 900),
    at(300, 400),
    at(50, 950, { kind: "predicted" }),
    point({ figures: { tok_s: 1 } }),
    at(10, 9_999, { is_steady: false }),
  ]);

  it("keeps measured and predicted frontiers apart, and what is not steady out of them", () => {
    expect(scene(set).frontiers).toEqual({ measured: [0, 1], predicted: [3] });
  });

  it("sets points apart, and counts those without a place", () => {
    const found = scene(set, {}, { limits: { ttft_ms: 150 } });
    expect(set.points.map((_, index) => groupAt(found, index))).toEqual([
      "frontier",
      "outside",
      "outside",
      "frontier",
      "hidden",
      "unsteady",
    ]);
    expect(found.missing).toBe(1);
  });

  it("shows what the toggles leave", () => {
    expect(shownIndices(scene(set, { frontierOnly: true }))).toEqual([0, 1, 3]);
    expect(shownIndices(scene(set, { kind: "predicted" }))).toEqual([3]);
    expect(groupAt(scene(set, { dimDominated: false }), 2)).toBe("plain");
    expect(groupAt(scene(set, { greyOutside: false }, { limits: { ttft_ms: 1 } }), 0)).toBe(
      "frontier",
    );
  });

  it("lists only what is selected, and shows the rest behind it", () => {
    const found = scene(set, {}, { selected: Uint8Array.of(1, 0, 1, 0, 1, 0) });
    expect(listedIndices(found)).toEqual([0, 2]);
    expect(shownIndices(found)).toHaveLength(5);
  });

  it("counts what a logarithmic axis cannot show", () => {
    expect(scene(new PointSet([at(0, 5), at(3, 5)]), {}, { logX: true }).missing).toBe(1);
  });
});

describe("segmentsOf", () => {
  const figure = (value: number, low: number, high: number) => ({ value, low, high });
  const measured = point({
    candidate: "c",
    load: 4,
    figures: { ttft_ms: figure(100, 90, 110), tok_s: 50 },
  });
  const predicted = point({
    candidate: "c",
    load: 4,
    id: "c:concurrency:4",
    kind: "predicted",
    experiment_index: null,
    figures: { ttft_ms: 80, tok_s: figure(60, 0, 70) },
  });

  it("joins a prediction with its measurement, and draws the intervals of both", () => {
    const set = new PointSet([
      measured,
      predicted,
      point({ candidate: "c", load: 8, figures: { ttft_ms: 1, tok_s: 1 } }),
    ]);
    const { links, intervals, isThinned } = segmentsOf(set, scene(set));
    expect([...links]).toEqual([80, 60, 100, 50, Number.NaN, Number.NaN]);
    expect([...intervals].filter((value) => !Number.isNaN(value))).toEqual([
      90, 50, 110, 50, 80, 0, 80, 70,
    ]);
    expect(isThinned).toBe(false);
  });

  it("joins nothing whose other end is not shown", () => {
    const set = new PointSet([measured, predicted]);
    expect(segmentsOf(set, scene(set, { kind: "measured" })).links).toHaveLength(0);
  });

  it("joins only those on the frontier where there are too many to tell apart", () => {
    const many = Array.from({ length: 400 }, (_, index) => [
      {
        ...measured,
        id: `${index}:m`,
        candidate: `c${index}`,
        figures: { ...measured.figures, tok_s: { value: index, low: null, high: null } },
      },
      { ...predicted, id: `${index}:p`, candidate: `c${index}` },
    ]).flat();
    const set = new PointSet(many);
    const { links, isThinned } = segmentsOf(set, scene(set));
    expect(isThinned).toBe(true);
    // All predictions are equal here, and so all of them are on the frontier.
    expect(links.length / 6).toBe(400);
  });
});

describe("axes", () => {
  it("show what the task was for, with throughput upwards", () => {
    const choices = ["tok_s_per_gpu", "tok_s_per_user", "ttft_ms", "tok_s"].map(quantity);
    expect(usualAxes(["tok_s_per_gpu", "tok_s_per_user"], choices)).toEqual({
      x: "tok_s_per_user",
      y: "tok_s_per_gpu",
    });
    expect(usualAxes(["ttft_ms", "tok_s"], choices)).toEqual({ x: "ttft_ms", y: "tok_s" });
    expect(usualAxes(["e2e_p90_ms"], choices)).toEqual({ x: "tok_s_per_user", y: "tok_s_per_gpu" });
    expect(usualAxes([], [])).toEqual({ x: "tok_s_per_user", y: "tok_s_per_gpu" });
  });

  it("carry limits: that of TPOT as the speed that a user sees, too", () => {
    expect(axisLimit(quantity("ttft_ms"))?.name).toBe("ttft_ms");
    const speed = axisLimit(quantity("tok_s_per_user"));
    expect(speed?.name).toBe("tpot_ms");
    expect(speed?.toAxis(25)).toBe(40);
    expect(speed?.toLimit(40)).toBe(25);
    expect(axisLimit(quantity("tok_s"))).toBeNull();
  });
});
