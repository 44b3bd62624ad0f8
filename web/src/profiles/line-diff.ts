/** Two texts line by line, the lines that both have side by side. */

/** A row of the two texts: the line of each; null where only the other has one there. */
export interface LinePair {
  mine: string | null;
  theirs: string | null;
}

/** Rows of two texts, by the longest sequence of lines that both have. */
export function linePairs(mine: string, theirs: string): LinePair[] {
  const a = linesOf(mine);
  const b = linesOf(theirs);
  const common = commonLengths(a, b);
  const rows: LinePair[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const own = a[i] ?? null;
    const other = b[j] ?? null;
    if (own !== null && own === other) {
      rows.push({ mine: own, theirs: other });
      i += 1;
      j += 1;
    } else if (other === null || (own !== null && at(common, i + 1, j) >= at(common, i, j + 1))) {
      rows.push({ mine: own, theirs: null });
      i += 1;
    } else {
      rows.push({ mine: null, theirs: other });
      j += 1;
    }
  }
  return withChangesBeside(rows);
}

const linesOf = (text: string) => text.replace(/\n$/, "").split("\n");

const at = (table: readonly (readonly number[])[], i: number, j: number) => table[i]?.[j] ?? 0;

/** Length of the longest common sequence of what follows line i of one and line j of the other. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = table[i] as number[];
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] =
        a[i] === b[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

/** Lines that only one has, beside those that the other has in their place. */
function withChangesBeside(rows: readonly LinePair[]): LinePair[] {
  const found: LinePair[] = [];
  let own: string[] = [];
  let other: string[] = [];
  const flush = () => {
    for (let k = 0; k < Math.max(own.length, other.length); k += 1) {
      found.push({ mine: own[k] ?? null, theirs: other[k] ?? null });
    }
    own = [];
    other = [];
  };
  for (const row of rows) {
    if (row.mine !== null && row.theirs !== null) {
      flush();
      found.push(row);
    } else if (row.mine !== null) own.push(row.mine);
    else if (row.theirs !== null) other.push(row.theirs);
  }
  flush();
  return found;
}
