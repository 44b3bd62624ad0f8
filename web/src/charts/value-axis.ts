/** An axis of values as ECharts is to draw it: its places are those of `scale`. */

import { number } from "~/ui/format";
import type { Palette } from "./palette";
import { type Span, ticks, toValue } from "./scale";

/** An axis with its title in the middle, and about `most` labels. */
export function valueAxis(
  name: string,
  span: Span,
  isLog: boolean,
  { most, nameGap, palette }: { most: number; nameGap: number; palette: Palette },
) {
  const places = ticks(span, isLog, Math.max(2, Math.floor(most)));
  return {
    type: "value",
    min: span.low,
    max: span.high,
    name,
    nameLocation: "middle",
    nameGap,
    nameTextStyle: { color: palette.text, fontSize: 12 },
    axisLine: { show: true, onZero: false, lineStyle: { color: palette.line } },
    axisTick: { show: false, customValues: places },
    axisLabel: {
      color: palette.quiet,
      fontSize: 11,
      customValues: places,
      formatter: (place: number) => number(toValue(place, isLog)),
    },
    splitLine: { lineStyle: { color: palette.line } },
  };
}
