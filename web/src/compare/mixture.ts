/** Whether series answer the same question: the same model under the same workload, as both say. */

import { plainModel, type Series } from "./series";

const ASPECTS = ["model", "workload"] as const;
type Aspect = (typeof ASPECTS)[number];

const stated = (one: Series, aspect: Aspect) =>
  aspect === "model" ? plainModel(one.model) : one.workload;

/** What keeps a series from being compared with the others: "other model", "workload not stated". */
export type Mark = `other ${Aspect}` | `${Aspect} not stated`;

/**
 * Marks of each series. What one does not state is not known to be the same; the others are compared
 * with the first that states it, so that any two that differ leave a mark on one of them.
 */
export function marksOf(series: readonly Series[]): Mark[][] {
  const known = ASPECTS.map((aspect) => series.map((one) => stated(one, aspect)).find(Boolean));
  return series.map((one) =>
    ASPECTS.flatMap((aspect, place): Mark[] => {
      const value = stated(one, aspect);
      if (value === "") return [`${aspect} not stated`];
      return value === known[place] ? [] : [`other ${aspect}`];
    }),
  );
}

/** Whether both are known to be of one model and workload. */
export function isComparable(one: Series, other: Series): boolean {
  return marksOf([one, other]).every((marks) => marks.length === 0);
}

/** Sentences about the series that are marked; none of a series alone, or where all are of one kind. */
export function warnings(series: readonly Series[], marks: readonly Mark[][]): string[] {
  if (series.length < 2) return [];
  return series.flatMap(({ name }, place) => {
    const own = marks[place] ?? [];
    const others = ASPECTS.filter((aspect) => own.includes(`other ${aspect}`));
    const unsaid = ASPECTS.filter((aspect) => own.includes(`${aspect} not stated`));
    return [
      ...(others.length > 0 ? [`${name} has another ${others.join(" and ")}.`] : []),
      ...(unsaid.length > 0 ? [`${name} does not state its ${unsaid.join(" and ")}.`] : []),
    ];
  });
}
