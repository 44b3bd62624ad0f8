/** Levels that were measured while others used the machine, or the load generator was late. */

interface Counted {
  levels: number;
  disturbed: number;
}

/** Whether more than half of what was measured was disturbed. */
export function isMostlyDisturbed({ levels, disturbed }: Counted): boolean {
  return 2 * disturbed > levels;
}

/** Whether calibration learns from disturbed levels of a task too. */
export function learnsWhenBusy(config: Readonly<Record<string, unknown>>): boolean {
  const benchmark = (config.benchmark ?? {}) as Record<string, unknown>;
  return benchmark.learn_when_busy === true;
}
