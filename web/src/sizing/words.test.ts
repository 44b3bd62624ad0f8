import { expect, it } from "vitest";
import { aDeployment } from "./testing-sizing";
import {
  devicesOf,
  differing,
  heldBetween,
  replicasBetween,
  settingsInWords,
  trafficInWords,
} from "./words";

it("says replicas by the intervals where they are others", () => {
  expect(replicasBetween(aDeployment())).toBe("2 to 5");
  expect(replicasBetween(aDeployment({ replicas_interval: [2, null] }))).toBe("at least 2");
  expect(replicasBetween(aDeployment({ replicas_interval: [3, 3] }))).toBeNull();
});

it("has an interval of what one replica holds where one is known", () => {
  const { capacity } = aDeployment();
  expect(heldBetween(aDeployment())).toBe("15 to 23");
  expect(
    heldBetween(aDeployment({ capacity: { ...capacity, interval: [18.7, 18.7] } })),
  ).toBeNull();
});

it("counts GPUs, and none on a CPU", () => {
  expect(devicesOf(aDeployment())).toBe("6 × h100_sxm");
  expect(devicesOf(aDeployment({ gpus: 0, gpu: "cpu" }))).toBe("CPU");
});

it("says traffic as it was given", () => {
  const rate = { requests_per_s: 40, users: null, think_s: null };
  expect(trafficInWords(rate)).toBe("40\u00a0requests/s");
  const users = { requests_per_s: null, users: 210.55, think_s: 8 };
  expect(trafficInWords(users)).toBe("210.6 users, 8\u00a0s between");
});

it("tells candidates apart by what differs, the GPU aside", () => {
  const one = aDeployment({ settings: { "a.b": 1, "c.d": 2, "system.gpu_type": "l4" } });
  const other = aDeployment({ settings: { "a.b": 1, "c.d": 3, "e.f": null } });
  expect(differing([one, other])).toEqual(["c.d"]);
  expect(differing([one])).toEqual([]);
});

it("writes the settings that tell candidates apart, without what is left to the engine", () => {
  const made = aDeployment({
    settings: { "parallel.tensor_parallel": 2, "memory.max_model_len": null },
  });
  const paths = ["parallel.tensor_parallel", "memory.max_model_len", "misc.dtype"];
  expect(settingsInWords(made, paths)).toBe("tensor parallel 2");
});
