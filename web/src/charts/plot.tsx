import { Skeleton } from "@mantine/core";
import type { ECharts, EChartsCoreOption } from "echarts/core";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { ErrorNotice } from "~/ui/error-notice";
import classes from "./plot.module.css";

export interface Size {
  width: number;
  height: number;
}

interface PlotProps {
  /** Axes and grid: what moves when a chart is panned. */
  axes: EChartsCoreOption;
  /** Series, each with an id; they are drawn anew only when this is another array. */
  series: readonly object[];
  size: Size;
}

/** A canvas on which ECharts draws; the library is loaded with the first one. */
export function Plot({ axes, series, size }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<ECharts | null>(null);
  const [error, setError] = useState<unknown>(null);
  const drawn = useRef<{ series: readonly object[] | null; size: Size }>({ series: null, size });
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt loads it again.
  useEffect(() => {
    let isGone = false;
    let made: ECharts | null = null;
    setError(null);
    import("./echarts").then(
      ({ init }) => {
        if (isGone || host.current === null) return;
        made = init(host.current, { renderer: "canvas" });
        drawn.current = { series: null, size: { width: 0, height: 0 } };
        setChart(made);
      },
      (reason: unknown) => setError(reason),
    );
    return () => {
      isGone = true;
      made?.dispose();
      setChart(null);
    };
  }, [attempt]);

  useLayoutEffect(() => {
    if (chart === null || chart.isDisposed() || size.width === 0) return;
    const { width, height } = drawn.current.size;
    if (width !== size.width || height !== size.height) chart.resize(size);
    const isNew = drawn.current.series !== series;
    drawn.current = { series, size };
    if (isNew) chart.setOption({ ...axes, series }, { replaceMerge: ["series"] });
    else chart.setOption(axes);
  }, [chart, axes, series, size]);

  if (error !== null) {
    return <ErrorNotice error={error} onRetry={() => setAttempt((count) => count + 1)} />;
  }
  return (
    <>
      {chart === null && <Skeleton className={classes.loading} />}
      <div ref={host} className={classes.canvas} aria-hidden />
    </>
  );
}
