/** Series for tests. */

import type { OperatingPoint } from "~/api/points";
import type { ResultPoint, ResultPoints } from "~/api/verify";
import { PointSet } from "~/explorer/point-set";
import { point } from "~/explorer/testing-points";
import type { Series } from "./series";

/** What the service answers of an uploaded file. */
export function aFile(items: readonly Partial<ResultPoint>[], name = "theirs.csv"): ResultPoints {
  const nothing = {
    model: null,
    workload: null,
    engine: null,
    engine_version: null,
    system: null,
    layout: null,
  };
  return {
    file: {
      id: "ab".repeat(8),
      name,
      format: "csv",
      points: items.length,
      excluded: 0,
      bytes: 100,
      added_at: "2026-11-27T05:00:00Z",
    },
    items: items.map((given) => ({ ...point(), ...nothing, ...given })),
    excluded: [],
    notes: [],
    models: [],
    engines: [],
    engine_versions: [],
    systems: [],
    workloads: [],
  };
}

export function aSeries(given: Partial<Series> & { items?: OperatingPoint[] } = {}): Series {
  const { items = [point()], ...rest } = given;
  return {
    key: "task 1",
    taskId: 1,
    fileId: null,
    name: "first",
    partOf: null,
    isPredicted: false,
    model: "Qwen/Qwen3-8B",
    workload: "D(1024,512)",
    facts: { model: "Qwen/Qwen3-8B", engine: "vllm", "engine version": "0.24.0" },
    points: new PointSet(items),
    predictions: null,
    slo: {},
    best: null,
    objectives: ["tok_s_per_gpu", "tok_s_per_user"],
    ...rest,
  };
}
