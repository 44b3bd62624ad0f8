/** Drawings as files. */

import { drawOn } from "./drawn-canvas";
import type { Pen } from "./pen";
import type { Size } from "./plot";
import { SvgPen } from "./svg-pen";

const PIXEL_RATIO = 2;

type Draw = (pen: Pen) => void;

export function pngOf(draw: Draw, size: Size, background: string): Promise<Blob> {
  const canvas = document.createElement("canvas");
  drawOn(canvas, size, onPaper(draw, size, background), PIXEL_RATIO);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error("The browser made no picture of the chart."));
    }, "image/png"),
  );
}

export function svgOf(draw: Draw, size: Size, background: string): Blob {
  const pen = new SvgPen(size);
  onPaper(draw, size, background)(pen);
  return new Blob([pen.document()], { type: "image/svg+xml" });
}

function onPaper(draw: Draw, { width, height }: Size, color: string): Draw {
  return (pen) => {
    pen.line([0, height / 2, width, height / 2], { color, width: height });
    draw(pen);
  };
}
