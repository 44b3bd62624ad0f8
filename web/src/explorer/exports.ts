/** What is shown, as files. */

import { notifications } from "@mantine/notifications";
import type { OperatingPoint } from "~/api/points";
import { csv } from "~/charts/csv";
import type { Palette } from "~/charts/palette";
import type { Pen } from "~/charts/pen";
import type { Size } from "~/charts/plot";
import { setting } from "~/ui/format";
import { saveBlob } from "~/ui/saved-files";
import { drawChart } from "./draw-chart";
import { layersOf, limitLines, type Shown } from "./layers";
import { listedIndices } from "./scene";
import type { ExportForm } from "./toolbar";
import type { Exploration } from "./use-exploration";

type ShownMarks = Pick<Shown, "colorByOrder" | "pinned">;

/** Saves what is shown as a file; says so where that fails. */
export async function exportAs(
  taskId: number,
  form: ExportForm,
  exploration: Exploration,
  marks: ShownMarks,
  palette: Palette,
): Promise<void> {
  const { x, y } = exploration.scene.plane;
  try {
    saveBlob(
      await fileOf(form, exploration, marks, palette),
      `task-${taskId}-${y.key}-${x.key}.${form}`,
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    notifications.show({ color: "red", title: "The export failed", message });
  }
}

async function fileOf(
  form: ExportForm,
  exploration: Exploration,
  marks: ShownMarks,
  palette: Palette,
): Promise<Blob> {
  if (form === "csv") return new Blob([pointsCsv(exploration)], { type: "text/csv" });
  const { pngOf, svgOf } = await import("~/charts/picture");
  const draw = (pen: Pen) => drawPicture(pen, exploration, marks, palette);
  return (form === "png" ? pngOf : svgOf)(draw, PICTURE, palette.surface);
}

/** The points that are shown and selected, with every figure that any of them has. */
export function pointsCsv({ set, scene, varying, choices }: Exploration): string {
  const points = listedIndices(scene).map((index) => set.points[index] as OperatingPoint);
  const header = [
    ...["id", "kind", "experiment", "candidate", "load_kind", "load_value", "gpus", "meets_slo"],
    ...varying,
    ...choices.flatMap(({ key }) => [key, `${key}_low`, `${key}_high`]),
  ];
  const rows = points.map((point) => [
    ...[point.id, point.kind, point.experiment_index, point.candidate],
    ...[point.load.kind, point.load.value, point.gpus, point.meets_slo],
    ...varying.map((name) => (name in point.settings ? setting(point.settings[name]) : null)),
    ...choices.flatMap(({ key }) => {
      const figure = point.figures[key];
      return [figure?.value, figure?.low, figure?.high];
    }),
  ]);
  return csv(header, rows);
}

/** Size of a chart that leaves the page, whatever the window was. */
const PICTURE: Size = { width: 1200, height: 720 };

/** The chart as it stands, with its limits as lines of the picture. */
function drawPicture(
  pen: Pen,
  exploration: Exploration,
  marks: ShownMarks,
  palette: Palette,
): void {
  const { set, scene, segments, spans, limits, recommendation } = exploration;
  const frame = { plane: scene.plane, spans, size: PICTURE };
  const shown = { set, scene, segments, recommended: recommendation?.index ?? null, ...marks };
  const over = limitLines(limits, frame, palette);
  drawChart(pen, frame, layersOf(shown, palette), palette, over);
}
