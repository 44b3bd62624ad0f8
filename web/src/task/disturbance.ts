/** Levels that were measured while others used the machine, or the load generator was late. */

interface Counted {
  levels: number;
  disturbed: number;
}

/** Whether more than half of what was measured was disturbed. */
export function isMostlyDisturbed({ levels, disturbed }: Counted): boolean {
  return 2 * disturbed > levels;
}
