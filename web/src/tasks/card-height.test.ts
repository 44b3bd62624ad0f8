import { expect, it } from "vitest";
import { cardHeightPx, TALLEST_CARD_PX } from "./card-height";

const NONE = { completed: 0, failed: 0, running: 0 } as Parameters<
  typeof cardHeightPx
>[0]["experiments"];
const BASE = {
  experiments: NONE,
  launches: null,
  further_launches: null,
  left_s: null,
  wall_s: 0,
  best: null,
};

it("a card is as high as what it has to show", () => {
  const draft = cardHeightPx({ ...BASE, status: "pending" });
  const cancelled = cardHeightPx({ ...BASE, status: "cancelled" });
  const queued = cardHeightPx({ ...BASE, status: "queued" });
  const ended = cardHeightPx({
    ...BASE,
    status: "completed",
    experiments: { ...NONE, completed: 3 },
    best: {},
  });
  expect([draft, cancelled, queued, ended]).toEqual(
    [draft, cancelled, queued, ended].toSorted((a, b) => a - b),
  );
  expect(new Set([draft, cancelled, queued, ended]).size).toBe(4);
  expect(ended).toBe(TALLEST_CARD_PX);
});
