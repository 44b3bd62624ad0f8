import { describe, expect, it } from "vitest";
import { figureRows, settingRows, withBaseline } from "./diff";
import { anExperiment } from "./testing-experiments";

const first = anExperiment({
  index: 1,
  settings: { "runtime.isl": 64, "misc.threads": 2 },
  actual_throughput_tok_s: 100,
  actual_ttft_ms: 50,
});
const second = anExperiment({
  index: 2,
  settings: { "runtime.isl": 64, "misc.threads": 4, "memory.page_size": 16 },
  actual_throughput_tok_s: 120,
  actual_ttft_ms: 75,
});

describe("experiments side by side", () => {
  it("show settings that differ first, those that one lacks included", () => {
    expect(settingRows([first, second])).toEqual([
      { path: "misc.threads", values: ["2", "4"], differs: true },
      { path: "memory.page_size", values: ["engine's default", "16"], differs: true },
      { path: "runtime.isl", values: ["64", "64"], differs: false },
    ]);
  });

  it("compare figures with the first one's, and know which way is better", () => {
    const [throughput, ttft, tpot] = figureRows([first, second]);
    expect(throughput?.cells.map(({ text }) => text)).toEqual(["100\u00a0tok/s", "120\u00a0tok/s"]);
    expect(throughput?.cells[0]?.change).toBeNull();
    expect(throughput?.cells[1]?.change).toBeCloseTo(0.2);
    expect(throughput?.cells[1]?.isBetter).toBe(true);
    expect(ttft?.cells[1]?.change).toBeCloseTo(0.5);
    expect(ttft?.cells[1]?.isBetter).toBe(false);
    expect(tpot?.cells[1]).toEqual({ text: "–", change: null, isBetter: null });
  });

  it("take another one as the first", () => {
    expect(withBaseline([1, 2, 3], 3)).toEqual([3, 1, 2]);
  });
});
