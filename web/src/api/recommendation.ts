/** How to serve a model within limits, by prediction alone. */

import { queryOptions, skipToken } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";
import type { paths } from "./schema";

export type Recommendation = Schemas["RecommendationView"];
export type RecommendedByPrediction = Schemas["RecommendedByPrediction"];
export type Alternative = Schemas["AlternativeView"];
export type RecommendationRequest = paths["/api/v2/recommendation"]["get"]["parameters"]["query"];

const FRESH_MS = 300_000;

export const recommendationQuery = (asked: RecommendationRequest | null) =>
  queryOptions({
    queryKey: ["recommendation", asked],
    queryFn:
      asked === null
        ? skipToken
        : ({ signal }) =>
            bodyOf(client.GET("/api/v2/recommendation", { params: { query: asked }, signal })),
    staleTime: FRESH_MS,
  });
