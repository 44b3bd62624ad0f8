/** Charts as files: drawn once more, apart from the page. */

import type { EChartsCoreOption } from "echarts/core";
import type { Size } from "./plot";

const PIXEL_RATIO = 2;

export async function pngOf(
  option: EChartsCoreOption,
  size: Size,
  background: string,
): Promise<Blob> {
  const { init } = await import("./echarts");
  const canvas = document.createElement("canvas");
  canvas.width = size.width * PIXEL_RATIO;
  canvas.height = size.height * PIXEL_RATIO;
  const chart = init(canvas as unknown as HTMLDivElement, null, {
    renderer: "canvas",
    devicePixelRatio: PIXEL_RATIO,
    ...size,
  });
  try {
    chart.setOption({ ...option, backgroundColor: background });
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => {
        if (blob) resolve(blob);
        else reject(new Error("The browser made no picture of the chart."));
      }, "image/png"),
    );
  } finally {
    chart.dispose();
  }
}

export async function svgOf(
  option: EChartsCoreOption,
  size: Size,
  background: string,
): Promise<Blob> {
  const { init } = await import("./echarts");
  const chart = init(null, null, { renderer: "svg", ssr: true, ...size });
  try {
    chart.setOption({ ...option, backgroundColor: background });
    return new Blob([chart.renderToSVGString()], { type: "image/svg+xml" });
  } finally {
    chart.dispose();
  }
}
