import { describe, expect, it } from "vitest";
import { planeOf } from "./axes";
import { areaOf, isInside, xPixel, yPixel } from "./frame";
import { nearest, neighbour } from "./nearest";
import { PointSet } from "./point-set";
import { frontiersOf, sceneOf } from "./scene";
import { meetingMask } from "./slo";
import { point } from "./testing-points";

const set = new PointSet([
  point({ figures: { ttft_ms: 10, tok_s: 10 } }),
  point({ figures: { ttft_ms: 90, tok_s: 90 } }),
  point({ kind: "predicted", figures: { ttft_ms: 10, tok_s: 10 } }),
]);
const plane = planeOf(set, { x: "ttft_ms", y: "tok_s", logX: false, logY: false });
const spans = { x: { low: 0, high: 100 }, y: { low: 0, high: 100 } };
const area = areaOf({ width: 600, height: 400 });
const shown = (kind: "both" | "measured") =>
  sceneOf(
    set,
    plane,
    frontiersOf(set, plane),
    { kind, frontierOnly: false, dimDominated: true, greyOutside: true },
    meetingMask(set, {}),
    null,
  );

describe("nearest", () => {
  const pixel = { x: xPixel(area, spans.x, 10) + 3, y: yPixel(area, spans.y, 10) - 3 };

  it("finds the point on top within the distance", () => {
    expect(nearest(shown("both"), spans, area, pixel, 10)).toBe(2);
    expect(nearest(shown("measured"), spans, area, pixel, 10)).toBe(0);
  });

  it("finds none beyond it", () => {
    expect(nearest(shown("both"), spans, area, pixel, 3)).toBe(-1);
  });

  it("puts low values to the left and at the bottom", () => {
    expect(xPixel(area, spans.x, 0)).toBe(area.left);
    expect(yPixel(area, spans.y, 0)).toBe(area.top + area.height);
    expect(isInside(area, { x: area.left - 1, y: area.top + 1 })).toBe(false);
  });
});

it("goes along x with keys, and stops at the ends", () => {
  const order = [4, 2, 7];
  expect(neighbour(order, -1, 1)).toBe(4);
  expect(neighbour(order, -1, -1)).toBe(7);
  expect(neighbour(order, 2, 1)).toBe(7);
  expect(neighbour(order, 7, 1)).toBe(7);
  expect(neighbour([], 3, 1)).toBe(-1);
});
