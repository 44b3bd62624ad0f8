import { Text, Title } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useMemo } from "react";
import { usePalette } from "~/charts/palette";
import { Plot } from "~/charts/plot";
import { percent } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import classes from "./comparison.module.css";
import { BANDS, errorsOf, type Pair } from "./errors";
import { scatterAxes, scatterSeries, spanOfPairs } from "./scatter-option";

interface ScatterProps {
  quantity: Quantity;
  pairs: readonly Pair[];
}

/** Predicted against actual of one quantity, with the diagonal and the bands around it. */
export function Scatter({ quantity, pairs }: ScatterProps) {
  const palette = usePalette();
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const size = useMemo(() => ({ width, height }), [width, height]);
  const span = useMemo(() => spanOfPairs(pairs), [pairs]);
  const axes = useMemo(
    () => scatterAxes(quantity, span, size, palette),
    [quantity, span, size, palette],
  );
  const series = useMemo(() => scatterSeries(pairs, span, palette), [pairs, span, palette]);
  const errors = errorsOf(pairs);
  const summary = errors
    ? `median error ${percent(errors.median)}; ${BANDS.map(
        (band, place) => `${percent(errors.within[place], 0)} within ${percent(band, 0)}`,
      ).join(", ")}`
    : "nothing was both predicted and measured";
  return (
    <section className="card card-stack" aria-label={quantity.title}>
      <Title order={2} fz="sm">
        {quantity.title}
      </Title>
      <Text size="xs" className="quiet">
        {summary}
      </Text>
      {errors && (
        <div
          ref={ref}
          className={classes.plot}
          role="img"
          aria-label={`Predicted against actual ${quantity.short}: ${summary}`}
        >
          <Plot axes={axes} series={series} size={size} />
        </div>
      )}
    </section>
  );
}
