/** Points for tests and for measuring: what a service would answer. */

import type { OperatingPoint } from "~/api/points";

type Given = Partial<Omit<OperatingPoint, "figures" | "load">> & {
  figures?: Record<
    string,
    number | { value: number; low: number | null; high: number | null } | null
  >;
  load?: number;
};

let made = 0;

/** A measured point; figures may be plain numbers. */
export function point({ figures = {}, load = 8, ...given }: Given = {}): OperatingPoint {
  made += 1;
  const index = given.experiment_index === undefined ? made : given.experiment_index;
  return {
    id: `${index ?? given.candidate}:concurrency:${load}`,
    kind: "measured",
    experiment_index: index,
    candidate: `candidate-${made}`,
    load: { kind: "concurrency", value: load },
    settings: {},
    gpus: 1,
    figures: Object.fromEntries(
      Object.entries(figures).map(([name, figure]) => [
        name,
        typeof figure === "number" ? { value: figure, low: null, high: null } : figure,
      ]),
    ),
    verdicts: {},
    meets_slo: null,
    on_frontier: false,
    is_steady: true,
    is_disturbed: false,
    source: "",
    note: "",
    energy_note: "",
    ...given,
  };
}
