/** A pen that writes an SVG document. */

import {
  type Area,
  FONT,
  type LineStyle,
  type MarkGroup,
  markPath,
  type Pen,
  short,
  type TextStyle,
} from "./pen";
import type { Size } from "./plot";

const ANCHORS = { left: "start", center: "middle", right: "end" } as const;

export class SvgPen implements Pen {
  private readonly parts: string[] = [];
  private names = 0;

  constructor(private readonly size: Size) {}

  line(positions: ArrayLike<number>, { color, width, opacity = 1, dash = [] }: LineStyle): void {
    let path = "";
    let isDown = false;
    for (let at = 0; at < positions.length; at += 2) {
      const [x, y] = [positions[at] as number, positions[at + 1] as number];
      if (Number.isNaN(x + y)) isDown = false;
      else {
        path += `${isDown ? "L" : "M"}${short(x)} ${short(y)}`;
        isDown = true;
      }
    }
    const dashes = dash.length > 0 ? ` stroke-dasharray="${dash.join(" ")}"` : "";
    this.parts.push(
      `<path d="${path}" fill="none" stroke="${escaped(color)}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linejoin="round"${dashes}/>`,
    );
  }

  marks(groups: readonly MarkGroup[]): void {
    for (const group of groups) this.group(group);
  }

  private group({ positions, shape, size, color, opacity, outline }: MarkGroup): void {
    this.names += 1;
    const name = `mark-${this.names}`;
    const look =
      outline === undefined
        ? `fill="${escaped(color)}" fill-opacity="${opacity}"`
        : `fill="none" stroke="${escaped(color)}" stroke-width="${outline}"`;
    this.parts.push(`<defs><path id="${name}" d="${markPath(shape, size)}"/></defs><g ${look}>`);
    for (let at = 0; at < positions.length; at += 2) {
      const [x, y] = [short(positions[at] as number), short(positions[at + 1] as number)];
      this.parts.push(`<use href="#${name}" x="${x}" y="${y}"/>`);
    }
    this.parts.push("</g>");
  }

  text(text: string, x: number, y: number, style: TextStyle): void {
    const turned = style.isUpright ? ` transform="rotate(-90 ${short(x)} ${short(y)})"` : "";
    const anchor = ANCHORS[style.align ?? "center"];
    this.parts.push(
      `<text x="${short(x)}" y="${short(y)}" dy="0.35em" fill="${escaped(style.color)}" font-size="${style.size}" font-weight="${style.weight ?? 400}" text-anchor="${anchor}"${turned}>${escaped(text)}</text>`,
    );
  }

  within({ left, top, width, height }: Area, draw: () => void): void {
    this.names += 1;
    const name = `area-${this.names}`;
    this.parts.push(
      `<clipPath id="${name}"><rect x="${left}" y="${top}" width="${width}" height="${height}"/></clipPath><g clip-path="url(#${name})">`,
    );
    draw();
    this.parts.push("</g>");
  }

  /** The document of what was drawn. */
  document(): string {
    const { width, height } = this.size;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(FONT)}">${this.parts.join("")}</svg>`;
  }
}

const escaped = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
