/** Which point lies under the pointer, and which comes next for those who use keys. */

import type { Area } from "~/charts/pen";
import { type Spans, xPixel, yPixel } from "./frame";
import { isShown, type Scene } from "./scene";

/** The shown point nearest to a pixel, within a distance; -1 where there is none. Later ones lie on top. */
export function nearest(
  scene: Scene,
  spans: Spans,
  area: Area,
  pointer: { x: number; y: number },
  withinPx: number,
): number {
  const { xs, ys } = scene.plane;
  let found = -1;
  let best = withinPx * withinPx;
  for (let index = 0; index < xs.length; index++) {
    if (!isShown(scene, index)) continue;
    const dx = xPixel(area, spans.x, xs[index] as number) - pointer.x;
    if (dx > withinPx || dx < -withinPx) continue;
    const dy = yPixel(area, spans.y, ys[index] as number) - pointer.y;
    const distance = dx * dx + dy * dy;
    if (distance <= best) {
      best = distance;
      found = index;
    }
  }
  return found;
}

/**
 * The next point along x among some, from one of them; the first or last of them from none.
 *
 * @param indices ordered along x.
 */
export function neighbour(indices: readonly number[], from: number, step: 1 | -1): number {
  if (indices.length === 0) return -1;
  const at = indices.indexOf(from);
  if (at < 0) return indices.at(step > 0 ? 0 : -1) as number;
  return indices[Math.min(indices.length - 1, Math.max(0, at + step))] as number;
}
