/** The parts of ECharts that charts here use. Import it with `import()`: it is loaded with the first chart. */

import { LineChart, ScatterChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([LineChart, ScatterChart, GridComponent, CanvasRenderer, SVGRenderer]);

export { init };
