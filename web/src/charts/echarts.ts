/** The parts of ECharts that charts here use. Import it with `import()`: it is loaded with the first chart. */

import { LineChart, ScatterChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { type ECharts, type EChartsInitOpts, init as initChart, use } from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([LineChart, ScatterChart, GridComponent, CanvasRenderer, SVGRenderer]);

/** A chart in the letters of the page, which a canvas does not inherit. */
export function init(host: HTMLDivElement | null, options: EChartsInitOpts): ECharts {
  const { fontFamily } = getComputedStyle(document.body);
  return initChart(host, { textStyle: { fontFamily } }, options);
}
