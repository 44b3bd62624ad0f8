import { describe, expect, it } from "vitest";
import { valueAt } from "./value-at";

describe("valueAt", () => {
  const xs = [10, 50, 100];
  const ys = [90, 50, 10];
  const line = [0, 1, 2];

  it("lies on the line between two points, and names them", () => {
    expect(valueAt(line, xs, ys, 30, "higher")).toEqual({
      y: 70,
      isInterpolated: true,
      neighbours: [0, 1],
    });
  });

  it("is a measured point where there is one", () => {
    expect(valueAt(line, xs, ys, 50, "higher")).toEqual({
      y: 50,
      isInterpolated: false,
      neighbours: [1],
    });
  });

  it("is the best of all where every point is good enough", () => {
    expect(valueAt(line, xs, ys, 2, "higher")).toEqual({
      y: 90,
      isInterpolated: false,
      neighbours: [0],
    });
  });

  it("is none where no point is good enough", () => {
    expect(valueAt(line, xs, ys, 101, "higher")).toBeNull();
    expect(valueAt([], xs, ys, 1, "higher")).toBeNull();
  });

  it("takes low values as good on an axis of latencies", () => {
    const latency = [20, 40, 80];
    const throughput = [100, 300, 700];
    expect(valueAt(line, latency, throughput, 60, "lower")?.y).toBe(500);
    expect(valueAt(line, latency, throughput, 10, "lower")).toBeNull();
    expect(valueAt(line, latency, throughput, 500, "lower")?.neighbours).toEqual([2]);
  });
});
