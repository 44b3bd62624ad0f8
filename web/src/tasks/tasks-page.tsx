import { Box, Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import { whenIdle } from "~/ui/after-paint";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { BulkBar } from "./bulk-bar";
import { DEFAULT_SORT, filterOf, isFiltered, type TaskListSearch } from "./search-params";
import { ListToCome, TaskTable } from "./task-table";
import classes from "./tasks-page.module.css";
import { Toolbar } from "./toolbar";
import { useEngines } from "./use-engines";
import { useSelection } from "./use-selection";
import { useTaskList } from "./use-task-list";

const route = getRouteApi("/tasks");
const CARDS = "(max-width: 900px)";

/** The list of tasks; what it shows is in the address, and events keep it true. */
export function TasksPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const router = useRouter();
  const { query, rows, total } = useTaskList(filterOf(search));
  const selection = useSelection(rows);
  const engines = useEngines(rows, search.engine ?? NONE);
  const isCards = useMediaQuery(CARDS, undefined, { getInitialValueInEffect: false });
  const { fetchNextPage, hasNextPage, isFetchingNextPage, isFetchNextPageError } = query;

  const change = (changed: TaskListSearch) =>
    void navigate({ search: { ...changed, q: changed.q || undefined }, replace: true });
  const open = useCallback(
    (id: number) => void router.navigate({ to: "/tasks/$taskId", params: { taskId: id } }),
    [router],
  );
  const readMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage, isFetchNextPageError]);
  const selectAll = async () => {
    let read = query.data;
    let more = hasNextPage;
    while (more) {
      const next = await fetchNextPage();
      if (next.isError) return;
      read = next.data;
      more = next.hasNextPage;
    }
    selection.selectAll(read?.pages.flatMap((page) => page.items.map(({ id }) => id)) ?? []);
  };
  const isRead = query.data !== undefined;
  useEffect(() => {
    if (!isRead) return;
    // Whoever sees the list opens one of its tasks next.
    const preload = () => router.preloadRoute({ to: "/tasks/$taskId", params: { taskId: 0 } });
    return whenIdle(() => void preload());
  }, [router, isRead]);

  const selected = rows.filter((row) => selection.ids.has(row.id));
  return (
    <Box className={classes.page}>
      <Toolbar
        search={search}
        engines={engines}
        total={query.data ? total : null}
        isBare={query.data !== undefined && total === 0 && !isFiltered(search)}
        onChange={change}
      />
      {isFetchNextPageError && (
        <Box p="xs">
          <ErrorNotice error={query.error} onRetry={() => void fetchNextPage()} />
        </Box>
      )}
      {query.isPending && <ListToCome isCards={isCards} />}
      {query.isError && !query.data && (
        <Box p="md">
          <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
        </Box>
      )}
      {query.data && rows.length === 0 && !hasNextPage && (
        <NoTasks search={search} onClear={() => change({ sort: search.sort })} />
      )}
      {rows.length > 0 && (
        <TaskTable
          rows={rows}
          total={total}
          sort={search.sort ?? DEFAULT_SORT}
          isCards={isCards}
          isOld={query.isPlaceholderData}
          selectedIds={selection.ids}
          onSort={(sort) => change({ ...search, sort })}
          onToggle={selection.toggle}
          onSelectAll={selection.selectAll}
          onOpen={open}
          onNeedMore={readMore}
        />
      )}
      {selected.length > 0 && (
        <BulkBar
          tasks={selected}
          total={total}
          isReading={isFetchingNextPage}
          onSelectAll={() => void selectAll()}
          onClear={selection.clear}
        />
      )}
    </Box>
  );
}

const NONE: readonly string[] = [];

function NoTasks({ search, onClear }: { search: TaskListSearch; onClear: () => void }) {
  if (isFiltered(search)) {
    return (
      <EmptyState
        title="No task matches"
        text={
          search.q ? (
            <span className="text-of-users">
              No name, description or model has “{search.q}”
              {isFiltered({ ...search, q: undefined }) ? " among tasks of these filters." : "."}
            </span>
          ) : (
            "No task passes these filters."
          )
        }
        action={
          <Button variant="default" onClick={onClear}>
            Clear filters
          </Button>
        }
      />
    );
  }
  return (
    <EmptyState
      title="No tasks yet"
      text="A task starts an engine with different settings, measures each under load, and shows the best operating points."
      action={
        <Button component={Link} to="/tasks/new">
          Create the first task
        </Button>
      }
    />
  );
}
