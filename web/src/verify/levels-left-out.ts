import { count } from "~/ui/format";

/**
 * Levels that say nothing of their predictions, in words; empty where there are none. A replay reads
 * its figures from a table; a disturbed level was measured while others used the machine.
 */
export function leftOut({ replayed, disturbed }: { replayed: number; disturbed: number }): string {
  const found = [
    { kind: "replayed", levels: replayed },
    { kind: "disturbed", levels: disturbed },
  ].filter(({ levels }) => levels > 0);
  if (found.length === 0) return "";
  const kinds = found.map(({ kind, levels }) => `${count(levels)} ${kind}`).join(" and ");
  return `${kinds} ${replayed + disturbed === 1 ? "level is" : "levels are"} left out`;
}
