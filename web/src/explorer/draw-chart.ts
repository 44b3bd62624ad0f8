/** The chart, on the page and in files alike. */

import type { Palette } from "~/charts/palette";
import type { Area, Pen } from "~/charts/pen";
import { drawGrid, drawLabels } from "./draw-axes";
import { areaOf, type Frame, pixelsInSight, pixelsOf } from "./frame";
import type { Layers, Line, Marks } from "./layers";

const LETTER_ABOVE_PX = 17;
const MARK_PX = 11;

const grown = ({ left, top, width, height }: Area, by: number): Area => ({
  left: left - by,
  top: top - by,
  width: width + 2 * by,
  height: height + 2 * by,
});

/**
 * Draws layers in a frame, with further lines over them.
 *
 * All of it is drawn in each frame of a drag: that takes a few ms for 10,000 points.
 */
export function drawChart(
  pen: Pen,
  frame: Frame,
  layers: Layers,
  palette: Palette,
  over: readonly Line[] = [],
): void {
  const { spans } = frame;
  const area = areaOf(frame.size);
  const lines = (some: readonly Line[]) => {
    for (const line of some) pen.line(pixelsOf(line.places, spans, area), line);
  };
  const marks = (some: readonly Marks[]) => {
    pen.marks(
      some.map(({ places, ...style }) => ({
        ...style,
        positions: pixelsInSight(places, spans, area, style.size),
      })),
    );
  };
  drawGrid(pen, frame, palette);
  pen.within(area, () => {
    lines(layers.segments);
    marks(layers.points);
    lines(layers.frontiers);
  });
  // Marks that stand out are whole at the edge of the plot too.
  pen.within(grown(area, MARK_PX), () => {
    marks(layers.best);
    marks(layers.rings);
    for (const { text, places } of layers.letters) {
      const [x, y] = pixelsOf(places, spans, area) as unknown as [number, number];
      pen.text(text, x, y - LETTER_ABOVE_PX, { color: palette.text, size: 13, weight: 700 });
    }
  });
  pen.within(area, () => lines(over));
  drawLabels(pen, frame, palette);
}
