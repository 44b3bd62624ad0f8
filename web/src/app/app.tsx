import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { whenSessionLapses } from "~/api/client";
import { dropTasks } from "~/api/live";
import { ApiProblem, isPassing } from "~/api/problems";
import { sessionQuery } from "~/api/session";
import { createAppRouter } from "./router";
import { theme } from "./theme";

const MOST_RETRIES = 3;
const colorSchemes = localStorageColorSchemeManager({ key: "autotuner-color-scheme" });

function createQueries(): QueryClient {
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        // Events say what has changed; a second request for the same is none the wiser.
        staleTime: 30_000,
        retry: (failures, error) => isPassing(error) && failures < MOST_RETRIES,
      },
      mutations: { retry: false },
    },
  });
  whenSessionLapses(() => void queries.invalidateQueries({ queryKey: sessionQuery.queryKey }));
  queries.getQueryCache().subscribe(({ type, query }) => {
    const [subject, id] = query.queryKey;
    const error: unknown = type === "updated" ? query.state.error : null;
    // Nothing tells a page of tasks that were deleted elsewhere, except that they are not found.
    if (subject === "task" && error instanceof ApiProblem && error.isGone) {
      dropTasks(queries, new Set([Number(id)]));
    }
  });
  return queries;
}

export function App() {
  const [queries] = useState(createQueries);
  const [router] = useState(() => createAppRouter(queries));
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorSchemes}>
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
