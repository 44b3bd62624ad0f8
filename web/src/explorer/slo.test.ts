import { describe, expect, it } from "vitest";
import SHARED from "../../../tests/search/slo_cases.json";
import { PointSet } from "./point-set";
import { meetingMask, meets, recommended, verdict, worstExcess } from "./slo";
import { point } from "./testing-points";

interface Case {
  name: string;
  objectives: string[];
  limits: Record<string, number>;
  points: { intervals: Record<string, (number | null)[]>; [figure: string]: unknown }[];
  recommended: number | null;
  meets_slo: boolean | null;
  verdicts: string[];
}

function pointOf({ intervals, ...values }: Case["points"][number]) {
  const tpot = values.tpot_ms as number | null;
  const figures = Object.entries({
    ...(values as Record<string, number | null>),
    tok_s_per_user: tpot === null ? null : 1000 / tpot,
  }).map(([name, value]) => {
    const [low = null, high = null] = intervals[name] ?? [];
    return [name, value === null ? null : { value, low, high }] as const;
  });
  return point({ figures: Object.fromEntries(figures) });
}

describe.each(SHARED as unknown as Case[])("$name", (given) => {
  it("is decided as the service does", () => {
    const set = new PointSet(given.points.map(pointOf));
    expect(set.points.map((one) => verdict(one, given.limits))).toEqual(given.verdicts);
    const found = recommended(set, given.limits, given.objectives);
    expect(found?.index ?? null).toBe(given.recommended);
    expect(found?.meetsSlo ?? null).toBe(given.meets_slo);
  });
});

const BOTH = ["tok_s_per_gpu", "tok_s_per_user"];
const figures = (tok_s_per_gpu: number, ttft_ms: number, tpot_ms = 20) => ({
  tok_s_per_gpu,
  tok_s_per_user: 1000 / tpot_ms,
  ttft_ms,
  tpot_ms,
});

describe("limits", () => {
  it("are missed by the share of the worst of them", () => {
    const one = point({ figures: { ttft_ms: 120, tpot_ms: 30 } });
    expect(worstExcess(one, { ttft_ms: 100, tpot_ms: 20 })).toEqual({
      share: 0.5,
      name: "tpot_ms",
    });
    expect(meets(one, { ttft_ms: 120 })).toBe(true);
  });

  it("are not met by what has no value", () => {
    const one = point({ figures: { ttft_ms: 1 } });
    expect(meets(one, { tpot_ms: 20 })).toBe(false);
    expect([...meetingMask(new PointSet([one]), { tpot_ms: 20 })]).toEqual([0]);
  });

  it("are met unclearly where they lie inside an interval", () => {
    const measured = point({ figures: { ttft_ms: { value: 95, low: 80, high: 110 } } });
    expect(verdict(measured, { ttft_ms: 100 })).toBe("unclear");
    expect(verdict(measured, { ttft_ms: 110 })).toBe("meets");
    expect(verdict(measured, { ttft_ms: 79 })).toBe("misses");
    expect(verdict(point({ figures: { ttft_ms: 95 } }), { ttft_ms: 100 })).toBe("meets");
    const few = point({ figures: { ttft_ms: { value: 95, low: 80, high: null } } });
    expect(verdict(few, { ttft_ms: 100 })).toBe("unclear");
  });
});

describe("recommended", () => {
  it("is the most throughput that meets the limits clearly", () => {
    const set = new PointSet([
      point({ figures: figures(500, 400) }),
      point({ figures: { ...figures(400, 90), ttft_ms: { value: 90, low: 70, high: 130 } } }),
      point({ figures: figures(300, 50) }),
    ]);
    expect(recommended(set, { ttft_ms: 100 }, BOTH)).toMatchObject({ index: 2, meetsSlo: true });
    expect(recommended(set, { ttft_ms: 450 }, BOTH)?.index).toBe(0);
  });

  it("says by how much the nearest misses where nothing meets them", () => {
    const set = new PointSet([
      point({ figures: figures(500, 400) }),
      point({ figures: figures(300, 112) }),
    ]);
    const found = recommended(set, { ttft_ms: 100 }, BOTH);
    expect(found).toMatchObject({ index: 1, meetsSlo: false });
    expect(found?.reason).toBe(
      "Nothing meets the SLO: the nearest misses TTFT (100\u00a0ms) by 12\u00a0%",
    );
  });

  it("is the best balance without limits, and the best of a single objective", () => {
    const set = new PointSet([
      point({ figures: figures(100, 10, 5) }),
      point({ figures: figures(90, 10, 2) }),
      point({ figures: figures(10, 5, 1) }),
    ]);
    expect(recommended(set, {}, BOTH)?.index).toBe(1);
    expect(recommended(set, {}, ["ttft_ms"])?.index).toBe(2);
  });

  it("passes over predictions where something was measured, and over levels that are not steady", () => {
    const predicted = point({ kind: "predicted", figures: figures(900, 10) });
    const unsteady = point({ is_steady: false, figures: figures(900, 10) });
    const measured = point({ figures: figures(100, 10) });
    expect(recommended(new PointSet([predicted, unsteady, measured]), {}, BOTH)?.index).toBe(2);
    expect(recommended(new PointSet([predicted, unsteady]), {}, BOTH)?.index).toBe(0);
    expect(recommended(new PointSet([unsteady]), {}, BOTH)).toBeNull();
  });
});
