/** A chart and its points as files, whichever page draws it. */

import { notifications } from "@mantine/notifications";
import type { OperatingPoint } from "~/api/points";
import type { Cell } from "~/charts/csv";
import type { Pen } from "~/charts/pen";
import type { Size } from "~/charts/plot";
import { setting } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import { saveBlob } from "~/ui/saved-files";
import type { ChartForm } from "./export-menu";

/** Size of a chart that leaves the page, whatever the window was. */
export const PICTURE: Size = { width: 1200, height: 720 };

/** A chart that can leave the page. */
export interface ChartFile {
  /** Without its ending. */
  name: string;
  size: Size;
  background: string;
  draw: (pen: Pen) => void;
  csv: () => string;
}

/** Saves a chart in a form; says so where that fails. */
export async function saveChart(form: ChartForm, chart: ChartFile): Promise<void> {
  try {
    saveBlob(await contentOf(form, chart), `${chart.name}.${form}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    notifications.show({ color: "red", title: "The export failed", message });
  }
}

async function contentOf(form: ChartForm, chart: ChartFile): Promise<Blob> {
  if (form === "csv") return new Blob([chart.csv()], { type: "text/csv" });
  const { pngOf, svgOf } = await import("~/charts/picture");
  return (form === "png" ? pngOf : svgOf)(chart.draw, chart.size, chart.background);
}

/** Columns of points in a file: what each is, its settings, and its figures with their intervals. */
export function pointColumns(varying: readonly string[], choices: readonly Quantity[]) {
  return {
    header: [
      ...["id", "kind", "experiment", "candidate", "load_kind", "load_value", "gpus", "meets_slo"],
      "disturbed",
      ...varying,
      ...choices.flatMap(({ key }) => [key, `${key}_low`, `${key}_high`]),
    ],
    row: (point: OperatingPoint): Cell[] => [
      ...[point.id, point.kind, point.experiment_index, point.candidate],
      ...[point.load.kind, point.load.value, point.gpus, point.meets_slo, point.is_disturbed],
      ...varying.map((name) => (name in point.settings ? setting(point.settings[name]) : null)),
      ...choices.flatMap(({ key }) => {
        const figure = point.figures[key];
        return [figure?.value, figure?.low, figure?.high];
      }),
    ],
  };
}
