/** Rows that are selected: by their ids, so that rows that come and go shift nothing. */

export interface Selection {
  ids: ReadonlySet<number>;
  /** Row that was selected last: the other end of a range. */
  anchor: number | null;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null };

/** With a row selected, or no longer. */
export function toggled(selection: Selection, id: number): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, anchor: id };
}

/** With all rows between the last one and this one, in the order in which they are shown. */
export function extended(selection: Selection, id: number, order: readonly number[]): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (from < 0 || to < 0) return toggled(selection, id);
  const between = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...between]), anchor: id };
}

export function allOf(order: readonly number[]): Selection {
  return { ids: new Set(order), anchor: null };
}
