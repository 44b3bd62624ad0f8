import type { QueryClient } from "@tanstack/react-query";

/** Has what was read of profiles read anew, and forgets the one that was changed. */
export function profilesChanged(queries: QueryClient, name: string): void {
  queries.removeQueries({ queryKey: ["profiles", "one", name] });
  for (const subject of ["profiles", "profile-previews", "profile-check"]) {
    void queries.invalidateQueries({ queryKey: [subject] });
  }
}
