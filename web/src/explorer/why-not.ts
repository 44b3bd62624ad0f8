/** Rows of the panel that says what relaxing a limit gains. */

import type { Admitted, SloEffects } from "~/api/why";
import { milliseconds, number } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import type { PointSet } from "./point-set";
import { type Limits, meetingMask } from "./slo";

export interface Relaxation {
  key: string;
  /** "TTFT 500 → 620 ms", "All limits × 1.24". */
  title: string;
  /** By what share the limit grows. */
  share: number;
  limits: Limits;
  points: number;
  candidates: number;
  best: Admitted["best"];
}

/** Each relaxed limit, in the order of the limits, and all of them together at the end. */
export function relaxationsOf(effects: SloEffects): Relaxation[] {
  const single = effects.limits.flatMap(({ name, limit_ms: now, relaxed }) =>
    relaxed.map((step) => {
      const limit = step.limits[name] as number;
      const title = `${quantity(name).short} ${milliseconds(now)} → ${milliseconds(limit)}`;
      return { key: `${name}:${limit}`, title, share: limit / now - 1, ...rowOf(step) };
    }),
  );
  const { factor, at_factor: step } = effects;
  if (factor === null || step === null || factor <= 1 || effects.limits.length < 2) return single;
  const title = `All limits × ${number(factor)}`;
  return [...single, { key: "all", title, share: factor - 1, ...rowOf(step) }];
}

/** The relaxations that the answer's sentence does not have: it names the one of the least step. */
export function furtherRelaxations(effects: SloEffects): Relaxation[] {
  const least = effects.limits.find(({ name }) => name === effects.binding)?.relaxed[0];
  const named = least && `${effects.binding}:${least.limits[effects.binding ?? ""]}`;
  return relaxationsOf(effects).filter(({ key }) => key !== named);
}

const rowOf = ({ limits, points, candidates, best }: Admitted) => ({
  ...{ limits, points, candidates, best },
});

export function isSame(one: Limits, other: Limits): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
  );
}

/** Whether no steady point meets the limits, of the measured ones, or of all while none is. */
export function isUnmet(set: PointSet, limits: Limits): boolean {
  if (Object.keys(limits).length === 0) return false;
  const mask = meetingMask(set, limits);
  const met = [0, 0];
  const seen = [0, 0];
  for (let index = 0; index < set.size; index++) {
    if (!set.isSteady[index]) continue;
    const kind = Number(set.isMeasured[index]);
    seen[kind] = (seen[kind] as number) + 1;
    met[kind] = (met[kind] as number) + (mask[index] as number);
  }
  const kind = seen[1] ? 1 : 0;
  return Boolean(seen[kind]) && met[kind] === 0;
}
