/** A pen on a canvas, quick enough for thousands of marks in each frame. */

import { CROWD, drawCrowds } from "./crowd";
import {
  type Area,
  FONT,
  type LineStyle,
  type MarkGroup,
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

  marks(groups: readonly MarkGroup[]): void {
    const squares = groups.filter(({ shape }) => shape === "square");
    const count = squares.reduce((sum, { positions }) => sum + positions.length / 2, 0);
    const crowds = count > CROWD ? squares : [];
    if (crowds.length > 0) drawCrowds(this.context, crowds, this.ratio);
    for (const group of groups) if (!crowds.includes(group)) this.stamp(group);
    this.context.globalAlpha = 1;
  }

  private stamp({ positions, ...style }: MarkGroup): void {
    const { context, ratio } = this;
    context.globalAlpha = style.opacity;
    const stamp = stampOf(style, ratio);
    const width = stamp.width / ratio;
    for (let at = 0; at < positions.length; at += 2) {
      const x = (positions[at] as number) - width / 2;
      context.drawImage(stamp, x, (positions[at + 1] as number) - width / 2, width, width);
    }
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
