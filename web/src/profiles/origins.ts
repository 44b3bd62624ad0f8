/** Where profiles are stored, in the order in which they are listed. */

import type { ProfileSummary } from "~/api/profiles";

interface OriginWords {
  origin: ProfileSummary["origin"];
  title: string;
  /** Said of one profile. */
  badge: string;
}

export const ORIGINS: readonly OriginWords[] = [
  { origin: "service", title: "Your own", badge: "your own" },
  { origin: "folder", title: "Files of the home", badge: "file of the home" },
  { origin: "built-in", title: "Built in", badge: "built in" },
];

/** Names in the order of the list. */
export function listedNames(
  profiles: readonly Pick<ProfileSummary, "name" | "origin">[],
): string[] {
  return ORIGINS.flatMap(({ origin }) =>
    profiles.filter((profile) => profile.origin === origin).map(({ name }) => name),
  );
}
