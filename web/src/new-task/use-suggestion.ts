/** What the service suggests for the decisions: asked as one types, the last answer wins. */

import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { suggestionQuery } from "~/api/plans";
import type { DraftAction } from "./document/draft";
import type { JsonObject } from "./document/values";
import { type Decisions, requestOf } from "./quick/decisions";

const TYPING_MS = 250;

export function useSuggestion(decisions: Decisions, act: (action: DraftAction) => void) {
  const [settled] = useDebouncedValue(decisions, TYPING_MS, { leading: true });
  const request = requestOf(settled);
  const suggestion = useQuery({
    ...suggestionQuery(request),
    placeholderData: keepPreviousData,
  });
  const document = suggestion.isPlaceholderData ? undefined : suggestion.data?.document;
  useEffect(() => {
    if (document) act({ kind: "suggest", document: document as JsonObject });
  }, [document, act]);
  return {
    ...suggestion,
    isBehind: settled !== decisions || suggestion.isFetching || suggestion.isError,
  };
}
