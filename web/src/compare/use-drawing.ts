import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import { axisChoices, planeOf, usualAxes } from "~/explorer/axes";
import { PointSet } from "~/explorer/point-set";
import type { Limits } from "~/explorer/slo";
import { dotsOf, varyingSettings } from "./dots";
import { layersOfSeries, spansOfPlanes } from "./draw-series";
import type { Drawing } from "./exports";
import { type Whiskers, whiskersOf } from "./intervals";
import { lookAt, strokeOf } from "./looks";
import { marksOf } from "./mixture";
import type { CompareSearch } from "./search-params";
import { type DrawnSeries, drawnSeries, type Series } from "./series";

interface ShownDrawing extends Drawing {
  drawn: readonly DrawnSeries[];
  x: string;
  y: string;
  whiskers: Whiskers;
}

/** Everything that is drawn of the series, as the address asks for it. */
export function useDrawing(
  given: readonly Series[],
  search: CompareSearch,
  limits: Limits,
): ShownDrawing {
  const isDark = useComputedColorScheme("light") === "dark";
  const withPredictions = search.with === "predictions";
  const drawn = useMemo(() => drawnSeries(given, withPredictions), [given, withPredictions]);
  const series = useMemo(() => drawn.map((one) => one.series), [drawn]);
  const marks = useMemo(() => marksOf(series), [series]);
  const looks = useMemo(
    () =>
      drawn.map(({ series: { isPredicted }, place }, at) =>
        lookAt(place, strokeOf((marks[at]?.length ?? 0) > 0, isPredicted), isDark),
      ),
    [drawn, marks, isDark],
  );
  const choices = useMemo(
    () => axisChoices(new PointSet(series.flatMap(({ points }) => points.points))),
    [series],
  );
  const usual = usualAxes(given[0]?.objectives ?? [], choices);
  const known = (key: string | undefined) => choices.find((one) => one.key === key)?.key;
  const x = known(search.x) ?? usual.x;
  const y = known(search.y) ?? usual.y;
  const logX = search.log?.includes("x") ?? false;
  const logY = search.log?.includes("y") ?? false;
  const onlyFrontier = search.only === "frontier";
  const dots = useMemo(
    () =>
      series.map(({ points }) =>
        dotsOf(planeOf(points, { x, y, logX, logY }), onlyFrontier, points.points),
      ),
    [series, x, y, logX, logY, onlyFrontier],
  );
  const spans = useMemo(() => spansOfPlanes(dots.map(({ plane }) => plane)), [dots]);
  const whiskers = useMemo(
    () =>
      whiskersOf(
        series.map(({ points }) => points.points),
        dots,
        looks,
      ),
    [series, dots, looks],
  );
  const layers = useMemo(
    () => layersOfSeries(dots, looks, whiskers.lines),
    [dots, looks, whiskers],
  );
  const varying = useMemo(() => varyingSettings(series), [series]);
  return {
    ...{ drawn, series, marks, looks, choices, x, y, dots, spans },
    ...{ layers, whiskers, varying, limits },
  };
}
