/** Thousands of small squares as one picture: a canvas takes nearly as long for each of them. */

/** Squares of one look; positions are their centres, x and y in turns. */
export interface Crowd {
  positions: ArrayLike<number>;
  size: number;
  /** As `#rrggbb`. */
  color: string;
  opacity: number;
}

/** From this many on, a picture of all is quicker than a square each. */
export const CROWD = 500;

interface Pixels {
  /** Bytes in the order alpha, blue, green, red, as every browser has them. */
  values: Uint32Array;
  width: number;
  height: number;
}

/**
 * Paints squares over each other; `ratio` is the pixels of one unit of a position.
 *
 * Squares of one colour cover more where they overlap, and hide those of another.
 */
export function paintCrowds(pixels: Pixels, crowds: readonly Crowd[], ratio: number): void {
  const { values, width, height } = pixels;
  for (const { positions, size, color, opacity } of crowds) {
    const side = Math.max(1, Math.round(size * ratio));
    const paint = paintOf(color);
    // Of each alpha that is there, the one that another square makes of it.
    const alphas = Uint8Array.from({ length: 256 }, (_, at) => at + (255 - at) * opacity + 0.5);
    const first = ((alphas[0] as number) << 24) | paint;
    for (let at = 0; at < positions.length; at += 2) {
      const left = Math.round((positions[at] as number) * ratio - side / 2);
      const top = Math.round((positions[at + 1] as number) * ratio - side / 2);
      const right = Math.min(width, left + side);
      const bottom = Math.min(height, top + side);
      for (let y = Math.max(0, top); y < bottom; y++) {
        const end = y * width + right;
        for (let x = y * width + Math.max(0, left); x < end; x++) {
          const below = values[x] as number;
          const isOwn = (below & 0xffffff) === paint;
          values[x] = isOwn ? ((alphas[below >>> 24] as number) << 24) | paint : first;
        }
      }
    }
  }
}

function paintOf(color: string): number {
  const rgb = Number.parseInt(color.slice(1), 16);
  return ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16);
}

let picture: { context: CanvasRenderingContext2D; image: ImageData } | null = null;

/** Draws crowds at once, the later ones over the earlier; positions are CSS pixels. */
export function drawCrowds(
  context: CanvasRenderingContext2D,
  crowds: readonly Crowd[],
  ratio: number,
): void {
  const { width, height } = context.canvas;
  picture = pictureOf(width, height, picture);
  if (picture === null) return;
  const values = new Uint32Array(picture.image.data.buffer);
  values.fill(0);
  paintCrowds({ values, width, height }, crowds, ratio);
  picture.context.putImageData(picture.image, 0, 0);
  context.drawImage(picture.context.canvas, 0, 0, width / ratio, height / ratio);
}

/** Where crowds are put together before they are drawn over the rest; kept for the next frame. */
function pictureOf(width: number, height: number, kept: typeof picture): typeof picture {
  if (kept?.image.width === width && kept.image.height === height) return kept;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return context && { context, image: context.createImageData(width, height) };
}
