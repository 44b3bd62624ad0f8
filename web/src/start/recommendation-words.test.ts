import { expect, it } from "vitest";
import {
  decidingFields,
  differsInWords,
  figuresOf,
  placeInWords,
  rivalsInWords,
  settingsInWords,
} from "./recommendation-words";
import { anAlternative, aPredictedPoint, aRecommendation } from "./testing-recommendation";

it("shows the settings that decide performance; a width of 1 is none", () => {
  expect(decidingFields(aPredictedPoint().settings)).toEqual([
    ...["parallel.tensor_parallel", "scheduling.max_running_requests"],
  ]);
  expect(settingsInWords(aPredictedPoint().settings)).toBe(
    "tensor parallel 2, max running requests 256",
  );
});

it("has figures per GPU and per user, with the ends of intervals in order", () => {
  const figures = figuresOf(aPredictedPoint());
  expect(figures.slice(0, 3)).toEqual([
    { name: "tok_s_per_gpu", value: 4000, range: "2,500 to 6,000" },
    { name: "tok_s_per_user", value: 50, range: "40 to 100" },
    { name: "ttft_ms", value: 600, range: "260 to 1,400\u00a0ms" },
  ]);
  const oneToken = aPredictedPoint({ tpot_ms: null, intervals: { tok_s: [1, 2] } });
  expect(figuresOf(oneToken).map(({ name }) => name)).not.toContain("tok_s_per_user");
});

it("names engine, devices and load", () => {
  const found = aRecommendation();
  expect(placeInWords(aPredictedPoint(), found)).toBe(
    "vllm on 2 × h100_sxm, 128\u00a0in\u00a0flight",
  );
  expect(placeInWords(aPredictedPoint(), { ...found, gpus: 0 })).toMatch(/^vllm on CPU,/);
});

it("says in what an alternative differs, and where its data is another", () => {
  const best = aPredictedPoint();
  expect(differsInWords(anAlternative(), best)).toBe("engine, parallel layout");
  expect(differsInWords(anAlternative({ kind: "measured kernels" }), best)).toBe(
    "engine, parallel layout, data (measured kernels)",
  );
});

it("says how many kinds only measuring tells apart", () => {
  const found = aRecommendation();
  expect(rivalsInWords(found)).toMatch(/^5 of 23 other kinds may be better/);
  expect(rivalsInWords({ ...found, meets_slo: false })).toMatch(/may meet the SLO/);
  const settled = { kinds: 24, rivals: 0, first_rivals: [], tasks: [] };
  expect(rivalsInWords({ ...found, measuring: settled })).toMatch(/^None of 23 other kinds/);
});
