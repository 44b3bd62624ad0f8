/** Series for tests. */

import type { OperatingPoint } from "~/api/points";
import { PointSet } from "~/explorer/point-set";
import { point } from "~/explorer/testing-points";
import type { Series } from "./series";

export function aSeries(given: Partial<Series> & { items?: OperatingPoint[] } = {}): Series {
  const { items = [point()], ...rest } = given;
  return {
    key: "task 1",
    taskId: 1,
    name: "first",
    model: "Qwen/Qwen3-8B",
    workload: "D(1024,512)",
    facts: { model: "Qwen/Qwen3-8B", engine: "vllm", "engine version": "0.24.0" },
    points: new PointSet(items),
    best: null,
    objectives: ["tok_s_per_gpu", "tok_s_per_user"],
    ...rest,
  };
}
