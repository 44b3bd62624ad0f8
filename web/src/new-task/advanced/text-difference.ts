/** The one stretch in which two texts differ. Pure. */

export interface TextChange {
  from: number;
  to: number;
  insert: string;
}

export function differenceOf(before: string, after: string): TextChange {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let same = 0;
  while (
    same < shorter - start &&
    before[before.length - 1 - same] === after[after.length - 1 - same]
  ) {
    same += 1;
  }
  return {
    from: start,
    to: before.length - same,
    insert: after.slice(start, after.length - same),
  };
}
