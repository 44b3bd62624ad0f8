import { Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useMemo } from "react";
import { type Palette, usePalette } from "~/charts/palette";
import { Plot } from "~/charts/plot";
import { counted, number, percent } from "~/ui/format";
import type { LearningStep } from "./errors-of";
import classes from "./verify.module.css";

/** Median error of predictions by how many launches of the task came before. */
export function LearningChart({ steps, what }: { steps: readonly LearningStep[]; what: string }) {
  const palette = usePalette();
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const size = useMemo(() => ({ width, height }), [width, height]);
  const axes = useMemo(() => axesOf(steps, palette), [steps, palette]);
  const series = useMemo(() => seriesOf(steps, palette), [steps, palette]);
  const first = steps[0];
  const last = steps.at(-1);
  const summary =
    first && last
      ? `before the first launch ${percentOf(first)}, after ${counted(last.launches, "launch", "launches")} ${percentOf(last)}`
      : "nothing was measured";
  return (
    <>
      <div
        ref={ref}
        className={classes.chart}
        role="img"
        aria-label={`Median error of ${what} by earlier launches: ${summary}`}
      >
        <Plot axes={axes} series={series} size={size} />
      </div>
      <Text size="xs" className="quiet">
        <span className={classes.base} aria-hidden /> predictor alone{" "}
        <span className={classes.calibrated} aria-hidden /> calibrated by earlier measurements ·{" "}
        {summary}
      </Text>
    </>
  );
}

const percentOf = ({ calibrated, base }: LearningStep) => percent((calibrated ?? base ?? 0) / 100);

function axesOf(steps: readonly LearningStep[], palette: Palette) {
  const label = { color: palette.quiet, fontSize: 11 };
  const name = { color: palette.text, fontSize: 12 };
  return {
    animation: false,
    grid: { left: 58, right: 20, top: 12, bottom: 44, outerBoundsMode: "none" },
    xAxis: {
      type: "value",
      min: 0,
      max: Math.max(1, steps.at(-1)?.launches ?? 1),
      minInterval: 1,
      name: "earlier launches of the task",
      nameLocation: "middle",
      nameGap: 26,
      nameTextStyle: name,
      axisLabel: label,
      axisLine: { lineStyle: { color: palette.line } },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      min: 0,
      name: "median error (%)",
      nameLocation: "middle",
      nameGap: 40,
      nameRotate: 90,
      nameTextStyle: name,
      axisLabel: { ...label, formatter: (value: number) => number(value) },
      splitLine: { lineStyle: { color: palette.line } },
    },
  };
}

function seriesOf(steps: readonly LearningStep[], palette: Palette): object[] {
  const line = (id: "base" | "calibrated", color: string, symbol: string, type: string) => ({
    id,
    type: "line",
    data: steps.map((step) => [step.launches, step[id] ?? Number.NaN]),
    symbol,
    symbolSize: 7,
    silent: true,
    itemStyle: { color },
    lineStyle: { color, width: 2, type },
  });
  return [
    line("base", palette.predicted, "diamond", "dashed"),
    line("calibrated", palette.measured, "circle", "solid"),
  ];
}
