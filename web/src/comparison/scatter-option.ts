/** Predicted against actual as ECharts is to draw it: on the diagonal a prediction is exact. */

import type { EChartsCoreOption } from "echarts/core";
import type { Palette } from "~/charts/palette";
import { type Span, spanOf, toPlace } from "~/charts/scale";
import { valueAxis } from "~/charts/value-axis";
import type { Quantity } from "~/ui/quantities";
import { BANDS, type Pair } from "./errors";

const LARGE = 600;
/** More intervals than these hide the points. */
const MOST_INTERVALS = 80;

/** One span for both axes, so that equal values lie on the diagonal. */
export function spanOfPairs(pairs: readonly Pair[]): Span {
  const places = pairs.flatMap(({ predicted, actual }) => [
    toPlace(predicted, true),
    toPlace(actual, true),
  ]);
  return spanOf(places, true);
}

export function scatterAxes(
  quantity: Quantity,
  span: Span,
  size: { width: number; height: number },
  palette: Palette,
): EChartsCoreOption {
  const axis = (name: string, room: number, nameGap: number) =>
    valueAxis(`${name} (${quantity.unit})`, span, true, { most: room / 64, nameGap, palette });
  return {
    animation: false,
    grid: { left: 72, right: 26, top: 10, bottom: 44, outerBoundsMode: "none" },
    xAxis: axis("actual", size.width, 26),
    yAxis: { ...axis("predicted", size.height, 54), nameRotate: 90 },
  };
}

export function scatterSeries(pairs: readonly Pair[], span: Span, palette: Palette): object[] {
  const across = (id: string, factor: number, lineStyle: object) => {
    const by = Math.log10(factor);
    return line(
      id,
      [
        [span.low, span.low + by],
        [span.high, span.high + by],
      ],
      lineStyle,
    );
  };
  const bands = BANDS.flatMap((band, place) =>
    [1 - band, 1 + band].map((factor) =>
      across(`band-${factor}`, factor, {
        color: palette.quiet,
        width: 1,
        opacity: 0.8 - 0.22 * place,
        type: [2 + 2 * place, 3],
      }),
    ),
  );
  const places = new Float64Array(2 * pairs.length);
  pairs.forEach(({ actual, predicted }, index) => {
    places[2 * index] = toPlace(actual, true);
    places[2 * index + 1] = toPlace(predicted, true);
  });
  return [
    ...bands,
    across("exact", 1, { color: palette.text, width: 1.5 }),
    ...(pairs.length <= MOST_INTERVALS ? [intervals(pairs, palette)] : []),
    {
      id: "pairs",
      type: "scatter",
      data: places,
      dimensions: ["x", "y"],
      large: true,
      largeThreshold: LARGE,
      progressive: 0,
      silent: true,
      symbolSize: pairs.length > 2_500 ? 3 : 7,
      itemStyle: { color: palette.measured, opacity: 0.7 },
      z: 4,
    },
  ];
}

function intervals(pairs: readonly Pair[], palette: Palette): object {
  const data = pairs.flatMap(({ actual, low, high }) => {
    const x = toPlace(actual, true);
    return [
      [x, toPlace(low, true)],
      [x, toPlace(high, true)],
      [Number.NaN, Number.NaN],
    ];
  });
  return line("intervals", data, { color: palette.measured, width: 1, opacity: 0.35 });
}

function line(id: string, data: unknown, lineStyle: object): object {
  return { id, type: "line", data, lineStyle, symbol: "none", silent: true, z: 2 };
}
