/** What the service says of the document: every fault, then the plan. The last answer wins. */

import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import {
  type Plan,
  type PlanProgress,
  planProgressQuery,
  planQuery,
  validationQuery,
} from "~/api/plans";
import type { Fault } from "~/api/problems";
import { ApiProblem } from "~/api/problems";
import type { JsonObject } from "./document/values";

const TYPING_MS = 350;

export interface Checks {
  /** The plan of the document, or of the one before while a new one is made. */
  plan: Plan | null;
  progress: PlanProgress | null;
  /** Whether an answer for the document as it stands is still to come. */
  isPending: boolean;
  faults: readonly Fault[];
  /** Why there is no plan although the document is valid; null where there is one. */
  problem: unknown;
  warnings: readonly string[];
  isValid: boolean;
  retry: () => void;
}

/** @param openings how often the draft became another document: no plan outlives one. */
export function useChecks(given: JsonObject | null, openings = 0): Checks {
  // Before the first suggestion there is nothing to be wrong.
  const content = given !== null && Object.keys(given).length > 0 ? given : null;
  const queries = useQueryClient();
  const [settled] = useDebouncedValue(content, TYPING_MS, { leading: true });
  const validation = useQuery({
    ...validationQuery(settled),
    placeholderData: keepPreviousData,
  });
  const isValid = validation.data?.valid === true && !validation.isPlaceholderData;
  const plan = useQuery({
    ...planQuery(isValid ? settled : null, queries),
    placeholderData: keepPreviousData,
  });
  const plannedIn = useRef(openings);
  if (!plan.isPlaceholderData && plan.data !== undefined && settled === content) {
    plannedIn.current = openings;
  }
  const isOfAnother = plannedIn.current !== openings;
  const progress = useQuery(planProgressQuery(settled)).data ?? null;
  const isFetching = validation.isFetching || plan.isFetching;
  return useMemo(() => {
    const failed = isValid ? plan.error : validation.error;
    const ofPlan = failed instanceof ApiProblem ? failed.faults : [];
    return {
      plan: isOfAnother ? null : (plan.data ?? null),
      progress: plan.isFetching ? progress : null,
      isPending: settled !== content || isFetching,
      faults: validation.data?.errors.length ? validation.data.errors : ofPlan,
      problem: failed,
      warnings: validation.data?.warnings ?? [],
      isValid: isValid && settled === content,
      retry: () => void (isValid ? plan.refetch() : validation.refetch()),
    };
  }, [content, settled, validation, plan, progress, isValid, isFetching, isOfAnother]);
}
