import { expect, it } from "vitest";
import { openedWith } from "./opened";
import { newTaskSearch, wantedOf } from "./search-params";

const GOALS = [
  { name: "balance", needs_slo: false, objectives: [] },
  { name: "slo", needs_slo: true, objectives: [] },
] as never;
const NEW = { source: null, lostId: null, isEdit: false, kept: null, goals: GOALS, models: [] };

it("begins with what the address wants", () => {
  const wanted = wantedOf({ model: "m", gpu: "h100_sxm", gpus: 8, isl: 9, osl: 3, ttft: "500" });
  const { first, isKept } = openedWith({ ...NEW, wanted: { ...wanted, engine: "vllm" } });
  expect(isKept).toBe(false);
  expect(first.decisions).toEqual({
    ...{ model: "m", gpu: "h100_sxm", gpus: 8, backend: "vllm", workload: { isl: 9, osl: 3 } },
    ...{ goal: "slo", slo: { ttft_ms: 500 }, profiles: [] },
  });
});

it("leaves open what the address does not say", () => {
  const { first } = openedWith({ ...NEW, wanted: wantedOf({ model: "m", tpot: "-1" }) });
  expect(first.decisions).toMatchObject({ model: "m", gpu: null, workload: null, goal: null });
  expect(first.decisions.slo).toEqual({});
});

it("has no wishes beside a task that is copied or changed", () => {
  expect(newTaskSearch({ from: 7, model: "m", tpot: 4 })).toEqual({ from: 7 });
  expect(newTaskSearch({ model: "m", tpot: 4 })).toEqual({ model: "m", tpot: 4 });
});
