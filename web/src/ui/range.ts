/** Intervals as people read them. */

/** Two values, the unit once where both have the same. */
export function range(low: string, high: string): string {
  const unit = /\u00a0.*$/.exec(high)?.[0];
  return `${unit && low.endsWith(unit) ? low.slice(0, -unit.length) : low} to ${high}`;
}
