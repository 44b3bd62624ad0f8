import { Spotlight, type SpotlightActionData, spotlight } from "@mantine/spotlight";
import { IconListDetails, IconPlus, IconSearch, IconTargetArrow } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { TaskItem } from "~/api/tasks";
import { statusLabel } from "~/ui/status-badge";

export const openPalette = spotlight.open;

const MOST_TASKS = 200;

/** Everything that can be gone to, by a few letters of its name. */
export function CommandPalette() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [tasks, setTasks] = useState<TaskItem[]>([]);

  const actions = useMemo<SpotlightActionData[]>(() => {
    const fixed: SpotlightActionData[] = [
      {
        id: "new",
        label: "New task",
        description: "Five decisions on one screen",
        leftSection: <IconPlus size={18} aria-hidden />,
        onClick: () => void navigate({ to: "/tasks/new", search: {} }),
      },
      {
        id: "tasks",
        label: "All tasks",
        leftSection: <IconListDetails size={18} aria-hidden />,
        onClick: () => void navigate({ to: "/tasks", search: {} }),
      },
    ];
    const known = tasks.map((task) => ({
      id: `task-${task.id}`,
      label: `${task.id} ${task.name}`,
      description: `${statusLabel(task.status)} · ${task.model} · ${task.engine}`,
      leftSection: <IconTargetArrow size={18} aria-hidden />,
      onClick: () => void navigate({ to: "/tasks/$taskId", params: { taskId: task.id } }),
    }));
    return [...fixed, ...known];
  }, [navigate, tasks]);

  return (
    <Spotlight
      actions={actions}
      shortcut={["mod + K", "/"]}
      limit={12}
      nothingFound="Nothing of that name"
      highlightQuery
      onSpotlightOpen={() => setTasks(knownTasks(queries))}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: "Go to a task or a page",
        "aria-label": "Go to a task or a page",
      }}
    />
  );
}

/** The tasks that were read already, each once. */
function knownTasks(queries: ReturnType<typeof useQueryClient>): TaskItem[] {
  const pages = queries.getQueriesData<{ pages: { items: TaskItem[] }[] }>({ queryKey: ["tasks"] });
  const rows = pages.flatMap(([, data]) => data?.pages.flatMap((page) => page.items) ?? []);
  return [...new Map(rows.map((row) => [row.id, row])).values()].slice(0, MOST_TASKS);
}
