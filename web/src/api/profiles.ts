/** Profiles: what there is, what each would set for a document, and changes to those kept here. */

import { queryOptions, skipToken } from "@tanstack/react-query";
import { bodyOf, client, type Schemas, taggedBodyOf } from "./client";

export type ProfilePreview = Schemas["ProfilePreview"];
export type ProfileSummary = Schemas["ProfileSummary"];
export type Profile = Schemas["ProfileView"];
export type ProfileContent = Schemas["ProfileContent"];
export type NewProfile = Schemas["NewProfile"];
export type ProfileTasks = Schemas["ProfileTasks"];
export type ProfileWords = Schemas["ProfileWords"];
export type CheckedProfile = Schemas["CheckedProfile"];

type Document = Record<string, unknown>;

export const profilesQuery = queryOptions({
  queryKey: ["profiles", "list"],
  queryFn: async ({ signal }) => (await bodyOf(client.GET("/api/v2/profiles/", { signal }))).items,
});

/** A profile with the tag that a change of it is sent with. */
export const profileQuery = (name: string) =>
  queryOptions({
    queryKey: ["profiles", "one", name],
    queryFn: async ({ signal }) => {
      const path = { name };
      const answer = client.GET("/api/v2/profiles/{name}", { params: { path }, signal });
      const { body, etag } = await taggedBodyOf(answer);
      return { profile: body, etag };
    },
  });

export const profileTasksQuery = (name: string) =>
  queryOptions({
    queryKey: ["profiles", "tasks", name],
    queryFn: ({ signal }) =>
      bodyOf(client.GET("/api/v2/profiles/{name}/tasks", { params: { path: { name } }, signal })),
  });

/** Facts that conditions may ask for, and rules that find values. */
export const profileWordsQuery = queryOptions({
  queryKey: ["catalog", "profile-words"],
  queryFn: () => bodyOf(client.GET("/api/v2/catalog/profile-words")),
  staleTime: Number.POSITIVE_INFINITY,
});

/** What every profile would set for a document, and why. */
export async function previewProfiles(
  document: Document,
  signal?: AbortSignal,
): Promise<ProfilePreview[]> {
  return (await previewsOf(document, signal)).items;
}

export const profilePreviewsQuery = (document: Document | null) =>
  queryOptions({
    queryKey: ["profile-previews", document],
    queryFn: document === null ? skipToken : ({ signal }) => previewProfiles(document, signal),
    staleTime: 60_000,
  });

/** The same, with what the document does not say. */
export const notedPreviewsQuery = (document: Document) =>
  queryOptions({
    queryKey: ["profile-previews", "noted", document],
    queryFn: ({ signal }) => previewsOf(document, signal),
    staleTime: 60_000,
  });

async function previewsOf(document: Document, signal?: AbortSignal) {
  return bodyOf(client.POST("/api/v2/profiles/preview", { body: document as never, signal }));
}

/** Every fault of a profile that is being written, and what it would set for a document. */
export const checkedProfileQuery = (
  profile: NewProfile,
  replaces: string | null,
  document: Document,
) =>
  queryOptions({
    queryKey: ["profile-check", profile, replaces, document],
    queryFn: ({ signal }) => {
      const body = { profile, replaces, document } as never;
      return bodyOf(client.POST("/api/v2/profiles/validate", { body, signal }));
    },
    staleTime: 60_000,
  });

export async function createProfile(profile: NewProfile): Promise<Profile> {
  return bodyOf(client.POST("/api/v2/profiles/", { body: profile }));
}

/** Replaces a profile; one that was changed since its tag was read is refused. */
export async function replaceProfile(
  name: string,
  content: ProfileContent,
  etag: string | null,
): Promise<Profile> {
  const params = { path: { name }, header: tagged(etag) };
  return bodyOf(client.PUT("/api/v2/profiles/{name}", { params, body: content }));
}

export async function deleteProfile(name: string, etag: string | null): Promise<void> {
  const params = { path: { name }, header: tagged(etag) };
  await bodyOf(client.DELETE("/api/v2/profiles/{name}", { params }));
}

const tagged = (etag: string | null) => (etag === null ? undefined : { "if-match": etag });
