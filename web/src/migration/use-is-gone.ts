import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { migrationsQuery } from "~/api/migrations";

/** Whether a migration was here and is not any more: somebody took it back. */
export function useIsGone(migration: number | undefined): boolean {
  const moved = useQuery(migrationsQuery).data;
  const isHere = moved?.some(({ id }) => id === migration) ?? false;
  // The list that is read may be older than the migration: it counts once it had it.
  const [seen, setSeen] = useState<number | undefined>();
  useEffect(() => {
    if (isHere) setSeen(migration);
  }, [isHere, migration]);
  return migration !== undefined && seen === migration && !isHere;
}
