import { useLayoutEffect, useRef } from "react";
import { CanvasPen } from "./canvas-pen";
import type { Pen } from "./pen";
import type { Size } from "./plot";
import classes from "./plot.module.css";

interface DrawnCanvasProps {
  size: Size;
  /** Draws all of it; called when it is another function, or the size is another. */
  draw: (pen: Pen) => void;
}

/** A canvas that fills its parent, drawn anew in the frame in which its drawing changes. */
export function DrawnCanvas({ size, draw }: DrawnCanvasProps) {
  const host = useRef<HTMLCanvasElement>(null);
  const { width, height } = size;
  useLayoutEffect(() => {
    if (host.current && width > 0) drawOn(host.current, { width, height }, draw);
  }, [width, height, draw]);
  return <canvas ref={host} className={classes.canvas} style={{ width, height }} aria-hidden />;
}

/** Draws on a canvas of a size in CSS pixels, as fine as the screen is. */
export function drawOn(
  canvas: HTMLCanvasElement,
  size: Size,
  draw: (pen: Pen) => void,
  ratio = window.devicePixelRatio || 1,
): void {
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  draw(new CanvasPen(context, ratio));
}
