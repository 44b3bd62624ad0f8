/** What charts are drawn with: the same drawing becomes a canvas on the page, or a file. */

export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface LineStyle {
  color: string;
  width: number;
  opacity?: number;
  /** Lengths of dashes and gaps. */
  dash?: readonly number[];
}

export type Shape = "circle" | keyof typeof OUTLINES;

export interface MarkStyle {
  shape: Shape;
  /** Width in px. */
  size: number;
  color: string;
  opacity: number;
  /** Width of the outline in px, where there is only that. */
  outline?: number;
}

/** Marks of one look. */
export interface MarkGroup extends MarkStyle {
  positions: ArrayLike<number>;
}

export interface TextStyle {
  color: string;
  size: number;
  weight?: number;
  align?: "left" | "center" | "right";
  /** Whether it runs upwards. */
  isUpright?: boolean;
}

/** Positions are pixels, x and y in turns. */
export interface Pen {
  /** Lines through positions; they end where one is NaN. */
  line: (positions: ArrayLike<number>, style: LineStyle) => void;
  /** Marks, those of later groups over those of earlier ones. */
  marks: (groups: readonly MarkGroup[]) => void;
  /** A text whose middle line lies at a position. */
  text: (text: string, x: number, y: number, style: TextStyle) => void;
  /** Draws what is not seen outside an area. */
  within: (area: Area, draw: () => void) => void;
}

export const FONT = 'Inter, system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

/** Corners of marks in a box of 1 by 1 around the origin. */
const OUTLINES = {
  diamond: [
    [0, -0.5],
    [0.5, 0],
    [0, 0.5],
    [-0.5, 0],
  ],
  square: [
    [-0.5, -0.5],
    [0.5, -0.5],
    [0.5, 0.5],
    [-0.5, 0.5],
  ],
  cross: [
    [-0.4, -0.5],
    [0, -0.1],
    [0.4, -0.5],
    [0.5, -0.4],
    [0.1, 0],
    [0.5, 0.4],
    [0.4, 0.5],
    [0, 0.1],
    [-0.4, 0.5],
    [-0.5, 0.4],
    [-0.1, 0],
    [-0.5, -0.4],
  ],
  star: Array.from({ length: 10 }, (_, corner) => {
    const radius = corner % 2 === 0 ? 0.5 : 0.24;
    const angle = (Math.PI * corner) / 5;
    return [radius * Math.sin(angle), -radius * Math.cos(angle)] as const;
  }),
  triangle: [
    [0, -0.5],
    [0.5, 0.5],
    [-0.5, 0.5],
  ],
  "hanging triangle": [
    [-0.5, -0.5],
    [0.5, -0.5],
    [0, 0.5],
  ],
  plus: [
    [-0.17, -0.5],
    [0.17, -0.5],
    [0.17, -0.17],
    [0.5, -0.17],
    [0.5, 0.17],
    [0.17, 0.17],
    [0.17, 0.5],
    [-0.17, 0.5],
    [-0.17, 0.17],
    [-0.5, 0.17],
    [-0.5, -0.17],
    [-0.17, -0.17],
  ],
  hourglass: [
    [-0.5, -0.5],
    [0.5, -0.5],
    [-0.5, 0.5],
    [0.5, 0.5],
  ],
  arrowhead: [
    [0.5, -0.5],
    [0.5, 0.5],
    [-0.5, 0],
  ],
} satisfies Record<string, readonly (readonly [number, number])[]>;

/** A mark around the origin, as the path of an SVG. */
export function markPath(shape: Shape, size: number): string {
  if (shape === "circle") {
    const radius = size / 2;
    return `M${-radius} 0a${radius} ${radius} 0 1 0 ${size} 0a${radius} ${radius} 0 1 0 ${-size} 0z`;
  }
  const corners = OUTLINES[shape].map(([x, y]) => `${short(x * size)} ${short(y * size)}`);
  return `M${corners.join("L")}z`;
}

export const short = (value: number): number => Math.round(value * 100) / 100;
