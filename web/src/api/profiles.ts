/** Profiles: what there is, and what each would set for a document. */

import { queryOptions, skipToken } from "@tanstack/react-query";
import { bodyOf, client, type Schemas } from "./client";

export type ProfilePreview = Schemas["ProfilePreview"];

/** What every profile would set for a document, and why. */
export async function previewProfiles(
  document: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<ProfilePreview[]> {
  const answer = await bodyOf(
    client.POST("/api/v2/profiles/preview", { body: document as never, signal }),
  );
  return answer.items;
}

export const profilePreviewsQuery = (document: Record<string, unknown> | null) =>
  queryOptions({
    queryKey: ["profile-previews", document],
    queryFn: document === null ? skipToken : ({ signal }) => previewProfiles(document, signal),
    staleTime: 60_000,
  });
