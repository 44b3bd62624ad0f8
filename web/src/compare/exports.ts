/** What is compared, as files. */

import { csv } from "~/charts/csv";
import type { Palette } from "~/charts/palette";
import { pointColumns, saveChart } from "~/explorer/chart-files";
import type { ChartForm } from "~/explorer/export-menu";
import type { Spans } from "~/explorer/frame";
import type { Layers } from "~/explorer/layers";
import type { Limits } from "~/explorer/slo";
import { counted } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import { type Dots, dotRows } from "./dots";
import { drawPicture, pictureSize } from "./draw-series";
import type { Look } from "./looks";
import type { Mark } from "./mixture";
import { disturbedOf, type Series } from "./series";

/** The chart as it stands. */
export interface Drawing {
  series: readonly Series[];
  marks: readonly (readonly Mark[])[];
  looks: readonly Look[];
  dots: readonly Dots[];
  spans: Spans;
  layers: Layers;
  limits: Limits;
  varying: readonly string[];
  choices: readonly Quantity[];
}

/** Saves the chart with its limits and the names of its series, or the points that it draws. */
export function exportAs(form: ChartForm, drawing: Drawing, palette: Palette): Promise<void> {
  const { series, marks, dots, looks, layers, limits, spans } = drawing;
  const plane = dots[0]?.plane;
  if (plane === undefined) return Promise.resolve();
  const names = series.map(
    (one, place) => `${one.name} (${inWords(one, marks[place] ?? []).join(", ")})`,
  );
  return saveChart(form, {
    name: `compare-${plane.y.key}-${plane.x.key}`,
    size: pictureSize(series.length),
    background: palette.surface,
    draw: (pen) =>
      drawPicture(pen, { frame: { plane, spans }, layers, looks, limits, names }, palette),
    csv: () => dotsCsv(drawing),
  });
}

/** How many points a series has, whether they are predicted or disturbed, and of what else they are. */
function inWords(one: Series, marks: readonly Mark[]): string[] {
  const disturbed = disturbedOf(one);
  return [
    counted(one.points.size, one.isPredicted ? "predicted point" : "point"),
    ...(disturbed > 0 ? [`${disturbed} disturbed`] : []),
    ...marks,
  ];
}

/** The points that are drawn, each with its series and what that is of. */
export function dotsCsv({ series, dots, varying, choices }: Drawing): string {
  const { header, row } = pointColumns(varying, choices);
  const rows = dotRows(series, dots).map(({ series: { name, model, workload }, point }) => [
    ...[name, model, workload],
    ...row(point),
  ]);
  return csv(["series", "model", "workload", ...header], rows);
}
