import { describe, expect, it } from "vitest";
import {
  type DeviceSummary,
  type EngineSummary,
  type ModelSummary,
  modelAtHand,
} from "~/api/catalog";
import { devicesInWords, enginesFound, waitingInWords } from "./found";

const CPU: DeviceSummary = {
  kind: "cpu",
  name: "cpu",
  host: "here",
  worker: null,
  count: 16,
  memory_gib: 62.8,
  bandwidth_gb_s: null,
};
const GPU: DeviceSummary = { ...CPU, kind: "gpu", name: "h100_sxm", count: 2, memory_gib: 80 };

describe("what was found", () => {
  it("is said once of a machine that is a worker's too", () => {
    expect(devicesInWords([CPU, { ...CPU, worker: "worker-1" }, GPU])).toEqual([
      "CPU with 16 cores, 62.8\u00a0GiB",
      "2 × h100_sxm, 80\u00a0GiB each",
    ]);
  });

  it("adds up the GPUs of a machine that several workers share", () => {
    const one = { ...GPU, count: 1 };
    const shared = [CPU, { ...one, worker: "a" }, { ...one, worker: "b" }, one];
    expect(devicesInWords(shared)).toEqual([
      "CPU with 16 cores, 62.8\u00a0GiB",
      "3 × h100_sxm, 80\u00a0GiB each",
    ]);
    expect(devicesInWords([one, { ...one, host: "there" }])).toEqual([
      "here: 1 × h100_sxm, 80\u00a0GiB each",
      "there: 1 × h100_sxm, 80\u00a0GiB each",
    ]);
  });

  it("is a model only where its file is", () => {
    const hub = { id: "org/model", package: null, is_here: false } as unknown as ModelSummary;
    const missing = { ...hub, id: "packaged", package: "some_package" };
    const here = { ...missing, id: "here", is_here: true };
    expect(modelAtHand([hub, missing])).toBeNull();
    expect(modelAtHand([hub, missing, here])).toBe(here);
  });

  it("names machines where there are several", () => {
    expect(devicesInWords([CPU, { ...GPU, host: "there", memory_gib: null }])).toEqual([
      "here: CPU with 16 cores, 62.8\u00a0GiB",
      "there: 2 × h100_sxm",
    ]);
  });

  it("is an engine only where it works", () => {
    const engine = { name: "vllm", found: true, problem: null } as unknown as EngineSummary;
    const broken = { ...engine, problem: "it does not start" } as unknown as EngineSummary;
    expect(enginesFound([engine, broken, { ...engine, found: false } as never])).toEqual([engine]);
  });
});

describe("tasks of version 1 that wait", () => {
  it("are said with the verb of their number", () => {
    expect(waitingInWords(1)).toBe("1 task of version 1 is waiting here.");
    expect(waitingInWords(1_234)).toBe("1,234 tasks of version 1 are waiting here.");
  });
});
