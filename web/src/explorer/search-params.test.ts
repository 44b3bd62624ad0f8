import { describe, expect, it } from "vitest";
import { explorerSearch, searchOf, type View, viewOf } from "./search-params";

describe("the explorer's address", () => {
  it("is empty for what is shown by itself", () => {
    expect(searchOf(viewOf({}))).toEqual({});
  });

  it("holds everything that is shown, and gives it back", () => {
    const view: View = {
      x: "ttft_ms",
      y: "tok_s_per_gpu",
      logX: true,
      logY: true,
      kind: "measured",
      frontierOnly: true,
      dimDominated: false,
      greyOutside: false,
      joinPairs: false,
      showFailures: false,
      colorByOrder: true,
      slo: { ttft_ms: 300, tpot_ms: 25.5 },
      pinned: "3:concurrency:8",
      compared: "4:concurrency:8",
      at: 50,
      zoom: { x: { low: 10, high: 20 }, y: { low: 0, high: 1500 } },
      brushes: { tpot_ms: { low: null, high: 40 } },
      as: "table",
      sort: "-ttft_ms",
      againstBaseline: true,
    };
    expect(viewOf(searchOf(view))).toEqual(view);
  });

  it("tells limits that were cleared from those of the task", () => {
    expect(searchOf({ ...viewOf({}), slo: {} }).slo).toBe("none");
    expect(viewOf({ slo: "none" }).slo).toEqual({});
    expect(viewOf({}).slo).toBeNull();
  });

  it("passes over what means nothing", () => {
    expect(
      explorerSearch({
        x: 3,
        log: "z",
        kind: "guessed",
        at: "soon",
        zoom: "5,1,2,3",
        slo: "ttft_ms:-3,tpot_ms:x",
        brush: "?",
        other: "<script>",
      }),
    ).toEqual({ slo: "none" });
  });
});
