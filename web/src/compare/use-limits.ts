import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { readLimits, writeLimits } from "~/explorer/search-params";
import type { Limits } from "~/explorer/slo";
import { isComparable } from "./mixture";
import type { CompareSearch } from "./search-params";
import type { Series } from "./series";

const WAIT_MS = 150;

/** Limits that the series are held against. */
export interface HeldLimits {
  limits: Limits;
  /** The task whose own they are; null where the reader set them, or no task has any. */
  owner: Series | null;
  /** Tasks whose own are others. */
  otherwise: readonly Series[];
  setLimits: (limits: Limits | null) => void;
}

/**
 * The limits in force: those of the address, else of the first task of the baseline's model and workload that has any. A change is shown
 * at once, and stands in the address when the reader rests.
 */
export function useLimits(
  series: readonly Series[],
  written: string | undefined,
  onChange: (part: CompareSearch) => void,
): HeldLimits {
  const [own, setOwn] = useState(() => (written === undefined ? null : readLimits(written)));
  const known = useRef(written);
  const change = useRef(onChange);
  change.current = onChange;

  // Another address: a link, or back and forward.
  useEffect(() => {
    if (written === known.current) return;
    known.current = written;
    setOwn(written === undefined ? null : readLimits(written));
  }, [written]);

  useEffect(() => {
    const next = own === null ? undefined : writeLimits(own);
    if (next === known.current) return;
    const timer = setTimeout(() => {
      known.current = next;
      change.current({ slo: next });
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [own]);

  const { owner, otherwise } = useMemo(() => ownersOf(series), [series]);
  const setLimits = useCallback((limits: Limits | null) => setOwn(limits), []);
  return own === null
    ? { limits: owner?.slo ?? NONE, owner, otherwise, setLimits }
    : { limits: own, owner: null, otherwise: [], setLimits };
}

const NONE: Limits = {};

/** The first series of the baseline's kind that has limits, and the tasks whose limits are not the same. */
export function ownersOf(series: readonly Series[]): Pick<HeldLimits, "owner" | "otherwise"> {
  const [first] = series;
  const owner =
    series.find(
      (one) =>
        Object.keys(one.slo).length > 0 &&
        (one === first || (first !== undefined && isComparable(first, one))),
    ) ?? null;
  if (owner === null) return { owner, otherwise: [] };
  const words = sorted(owner.slo);
  const otherwise = series.filter(({ taskId, slo }) => taskId !== null && sorted(slo) !== words);
  return { owner, otherwise };
}

const sorted = (limits: Limits): string =>
  Object.entries(limits)
    .map(([name, limit]) => `${name}:${limit}`)
    .sort()
    .join();
