/** Heights of cards: a list that shows only what is in sight has to know them beforehand. */

import { progressOf } from "./progress";

type Shown = Parameters<typeof progressOf>[0] & { best: unknown };

const HEAD_PX = 88;
const TEXT_PX = 24;
const BAR_PX = 10;
const BEST_PX = 44;
/** A card that is not read yet is taken for one with all parts. */
export const TALLEST_CARD_PX = HEAD_PX + TEXT_PX + BAR_PX + BEST_PX;

/** Height of a card: as much as what its task has to show. */
export function cardHeightPx(task: Shown): number {
  const { bar, text } = progressOf(task);
  const progress = text === "" ? 0 : TEXT_PX + (bar === null ? 0 : BAR_PX);
  return HEAD_PX + progress + (task.best === null ? 0 : BEST_PX);
}
