import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

/** Has what was read of migrations and of tasks read anew. */
export function useMigrationsChanged(): () => void {
  const queries = useQueryClient();
  return useCallback(() => {
    for (const subject of ["migrations", "tasks", "task"]) {
      void queries.invalidateQueries({ queryKey: [subject] });
    }
  }, [queries]);
}
