/** A pen on a canvas, quick enough for thousands of marks in each frame. */

import {
  type Area,
  FONT,
  type LineStyle,
  type MarkStyle,
  markPath,
  type Pen,
  type TextStyle,
} from "./pen";

export class CanvasPen implements Pen {
  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly ratio: number,
  ) {}

  line(positions: ArrayLike<number>, { color, width, opacity = 1, dash = [] }: LineStyle): void {
    const { context } = this;
    context.strokeStyle = color;
    context.lineWidth = width;
    context.globalAlpha = opacity;
    context.setLineDash([...dash]);
    context.lineJoin = "round";
    context.beginPath();
    let isDown = false;
    for (let at = 0; at < positions.length; at += 2) {
      const [x, y] = [positions[at] as number, positions[at + 1] as number];
      if (Number.isNaN(x + y)) isDown = false;
      else if (isDown) context.lineTo(x, y);
      else {
        context.moveTo(x, y);
        isDown = true;
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  marks(positions: ArrayLike<number>, style: MarkStyle): void {
    const { context, ratio } = this;
    context.globalAlpha = style.opacity;
    if (style.shape === "square") {
      // Whole pixels: nothing has to be smoothed, and a crowd of thousands takes a few ms.
      const side = Math.max(1, Math.round(style.size * ratio)) / ratio;
      context.fillStyle = style.color;
      for (let at = 0; at < positions.length; at += 2) {
        const x = Math.round(((positions[at] as number) - side / 2) * ratio) / ratio;
        const y = Math.round(((positions[at + 1] as number) - side / 2) * ratio) / ratio;
        context.fillRect(x, y, side, side);
      }
    } else {
      const stamp = stampOf(style, ratio);
      const width = stamp.width / ratio;
      for (let at = 0; at < positions.length; at += 2) {
        const x = (positions[at] as number) - width / 2;
        context.drawImage(stamp, x, (positions[at + 1] as number) - width / 2, width, width);
      }
    }
    context.globalAlpha = 1;
  }

  text(text: string, x: number, y: number, style: TextStyle): void {
    const { context } = this;
    context.font = `${style.weight ?? 400} ${style.size}px ${FONT}`;
    context.fillStyle = style.color;
    context.textAlign = style.align ?? "center";
    context.textBaseline = "middle";
    if (!style.isUpright) {
      context.fillText(text, x, y);
      return;
    }
    context.save();
    context.translate(x, y);
    context.rotate(-Math.PI / 2);
    context.fillText(text, 0, 0);
    context.restore();
  }

  within({ left, top, width, height }: Area, draw: () => void): void {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    draw();
    context.restore();
  }
}

const stamps = new Map<string, HTMLCanvasElement>();
const MOST_STAMPS = 200;

/** A mark as a picture: to copy it is quicker than to draw it. */
function stampOf(style: MarkStyle, ratio: number): HTMLCanvasElement {
  const { shape, size, color, outline } = style;
  const key = `${shape} ${size} ${color} ${outline} ${ratio}`;
  const known = stamps.get(key);
  if (known) return known;
  const stamp = document.createElement("canvas");
  const width = Math.ceil((size + (outline ?? 0) + 2) * ratio);
  stamp.width = width;
  stamp.height = width;
  const context = stamp.getContext("2d");
  if (context) {
    context.translate(width / 2, width / 2);
    context.scale(ratio, ratio);
    const path = new Path2D(markPath(shape, size));
    if (outline === undefined) {
      context.fillStyle = color;
      context.fill(path);
    } else {
      context.strokeStyle = color;
      context.lineWidth = outline;
      context.stroke(path);
    }
  }
  if (stamps.size >= MOST_STAMPS) stamps.clear();
  stamps.set(key, stamp);
  return stamp;
}
