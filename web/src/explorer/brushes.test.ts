import { describe, expect, it } from "vitest";
import {
  type Brushes,
  isSelected,
  readBrushes,
  selectedMask,
  withBrush,
  writeBrushes,
} from "./brushes";
import { point } from "./testing-points";

const one = point({
  load: 8,
  figures: { ttft_ms: 120 },
  settings: { "parallel.tensor_parallel": 2, "attention.backend": null },
});

describe("isSelected", () => {
  it.each([
    [{}, true],
    [{ ttft_ms: { low: 100, high: 120 } }, true],
    [{ ttft_ms: { low: null, high: 119 } }, false],
    [{ ttft_ms: { low: 121, high: null } }, false],
    [{ tpot_ms: { low: null, high: null } }, false],
    [{ load: { low: 8, high: 8 } }, true],
    [{ "parallel.tensor_parallel": { values: ["2", "4"] } }, true],
    [{ "parallel.tensor_parallel": { values: ["4"] } }, false],
    [{ "attention.backend": { values: ["engine's default"] } }, true],
    [{ ttft_ms: { low: 0, high: 500 }, load: { low: 9, high: null } }, false],
  ] as [Brushes, boolean][])("%j: %s", (brushes, expected) => {
    expect(isSelected(one, brushes)).toBe(expected);
  });

  it("needs no mask where nothing is brushed", () => {
    expect(selectedMask([one], {})).toBeNull();
    expect([...(selectedMask([one], { load: { low: 9, high: null } }) ?? [])]).toEqual([0]);
  });
});

describe("the address", () => {
  const brushes: Brushes = {
    ttft_ms: { low: 10.5, high: null },
    "attention.backend": { values: ["a|b;c:d~e", "<script>", "engine's default"] },
  };

  it("gives back what was written, whatever the names hold", () => {
    expect(readBrushes(writeBrushes(brushes))).toEqual(brushes);
  });

  it("passes over what is no brush", () => {
    expect(readBrushes("")).toEqual({});
    expect(readBrushes("nonsense;a:b;c:1..x;%:1..2")).toEqual({ "%": { low: 1, high: 2 } });
  });
});

it("clears one brush and keeps the others", () => {
  const brushes = { a: { low: 1, high: 2 }, b: { values: ["x"] } };
  expect(withBrush(brushes, "a", null)).toEqual({ b: { values: ["x"] } });
});
