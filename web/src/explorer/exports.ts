/** What the explorer shows, as files. */

import type { OperatingPoint } from "~/api/points";
import { csv } from "~/charts/csv";
import type { Palette } from "~/charts/palette";
import { PICTURE, pointColumns, saveChart } from "./chart-files";
import { drawChart } from "./draw-chart";
import type { ChartForm } from "./export-menu";
import { layersOf, limitLines, type Shown } from "./layers";
import { listedIndices } from "./scene";
import type { Exploration } from "./use-exploration";

type ShownMarks = Pick<Shown, "colorByOrder" | "pinned">;

/** Saves the chart as it stands, with its limits as lines of the picture, or its points. */
export function exportAs(
  taskId: number,
  form: ChartForm,
  exploration: Exploration,
  marks: ShownMarks,
  palette: Palette,
): Promise<void> {
  const { set, scene, segments, spans, limits, recommendation, reference } = exploration;
  const { plane } = scene;
  return saveChart(form, {
    name: `task-${taskId}-${plane.y.key}-${plane.x.key}`,
    size: PICTURE,
    background: palette.surface,
    draw: (pen) => {
      const frame = { plane, spans, size: PICTURE };
      const rings = {
        recommended: recommendation?.index ?? null,
        reference: reference?.indices ?? [],
      };
      const shown = { set, scene, segments, ...rings, ...marks };
      const over = limitLines(limits, frame, palette);
      drawChart(pen, frame, layersOf(shown, palette), palette, over);
    },
    csv: () => pointsCsv(exploration),
  });
}

/** The points that are shown and selected, with every figure that any of them has. */
export function pointsCsv({ set, scene, varying, choices }: Exploration): string {
  const { header, row } = pointColumns(varying, choices);
  const points = listedIndices(scene).map((index) => set.points[index] as OperatingPoint);
  return csv(header, points.map(row));
}
