/** Commands of the palette: pages, what can be done to the task that is shown, and the view. */

import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import {
  IconAdjustments,
  IconCalculator,
  IconChartArrows,
  IconChartDots,
  IconChecklist,
  IconDatabaseImport,
  IconFileText,
  IconFlask,
  IconHistory,
  IconHome,
  IconHourglass,
  IconListDetails,
  IconMoon,
  IconPlus,
  IconRoute,
  IconRulerMeasure,
  IconScale,
  IconServer2,
  IconStack2,
  IconStackPush,
  IconSun,
  IconTargetArrow,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useTaskActions } from "~/actions/actions-provider";
import { possibleVerbs, VERBS } from "~/actions/verbs";
import { useCurrentTask } from "./current-task";
import type { Command } from "./palette-search";

interface CommandGroup {
  title: string;
  commands: Command[];
}

const TASK_PAGES = [
  { to: "/tasks/$taskId", label: "Overview", Icon: IconTargetArrow },
  { to: "/tasks/$taskId/explorer", label: "Explorer", Icon: IconChartDots },
  { to: "/tasks/$taskId/search", label: "Search", Icon: IconRoute },
  { to: "/tasks/$taskId/experiments", label: "Experiments", Icon: IconFlask },
  { to: "/tasks/$taskId/performance", label: "Performance", Icon: IconHourglass },
  { to: "/tasks/$taskId/sizing", label: "Sizing", Icon: IconCalculator },
  { to: "/tasks/$taskId/configuration", label: "Configuration", Icon: IconAdjustments },
  { to: "/tasks/$taskId/comparison", label: "Comparison", Icon: IconScale },
  { to: "/tasks/$taskId/log", label: "Log", Icon: IconFileText },
] as const;

export function useCommands(): CommandGroup[] {
  const pages = usePageCommands();
  const { id, task } = useCurrentTask();
  const navigate = useNavigate();
  const { run, mayWrite } = useTaskActions();
  const ofTask: Command[] = [];
  if (id !== null) {
    const going = TASK_PAGES.map(({ to, label, Icon }) => ({
      id: to,
      label,
      description: `Page of task ${id}`,
      Icon,
      run: () => void navigate({ to, params: { taskId: id } }),
    }));
    ofTask.push(...going);
  }
  if (task && mayWrite) {
    const doing = possibleVerbs(task).map((verb) => ({
      id: verb,
      label: `${VERBS[verb].label} task ${task.id}`,
      description: task.name,
      Icon: VERBS[verb].Icon,
      run: () => run(verb, [task]),
    }));
    ofTask.push(...doing);
  }
  return [
    { title: "This task", commands: ofTask },
    { title: "Everywhere", commands: pages },
  ];
}

function usePageCommands(): Command[] {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme("light") === "dark";
  return [
    {
      id: "new",
      label: "New task",
      description: "Five decisions on one screen",
      Icon: IconPlus,
      run: () => void navigate({ to: "/tasks/new", search: {} }),
    },
    {
      id: "advanced",
      label: "New task, advanced",
      description: "Every field, with its YAML beside it",
      Icon: IconChecklist,
      run: () => void navigate({ to: "/tasks/new", search: { mode: "advanced" } }),
    },
    {
      id: "start",
      label: "Start",
      description: "What was found here, and the ways to begin",
      Icon: IconHome,
      run: () => void navigate({ to: "/start" }),
    },
    {
      id: "tasks",
      label: "All tasks",
      Icon: IconListDetails,
      run: () => void navigate({ to: "/tasks", search: {} }),
    },
    {
      id: "profiles",
      label: "Profiles",
      description: "Values that tasks start from: built in, and your own",
      Icon: IconStack2,
      run: () => void navigate({ to: "/profiles", search: {} }),
    },
    {
      id: "new-profile",
      label: "New profile",
      description: "Layers, conditions, and what it sets here",
      Icon: IconStackPush,
      run: () => void navigate({ to: "/profiles/edit", search: {} }),
    },
    {
      id: "compare",
      label: "Compare tasks",
      description: "Several on the same axes, what differs, and what has changed",
      Icon: IconChartArrows,
      run: () => void navigate({ to: "/compare", search: {} }),
    },
    {
      id: "verify",
      label: "Verify predictions",
      description: "Accuracy over all tasks; results of other programs side by side",
      Icon: IconRulerMeasure,
      run: () => void navigate({ to: "/verify", search: {} }),
    },
    {
      id: "migration",
      label: "Migration from version 1",
      description: "Its database, its task files, and tasks that wait",
      Icon: IconDatabaseImport,
      run: () => void navigate({ to: "/migration" }),
    },
    {
      id: "legacy",
      label: "Tasks of version 1",
      description: "As version 1 showed them",
      Icon: IconHistory,
      run: () => void navigate({ to: "/tasks/legacy", search: {} }),
    },
    {
      id: "system",
      label: "System",
      description: "Machine, workers, queue, database, tokens",
      Icon: IconServer2,
      run: () => void navigate({ to: "/system" }),
    },
    {
      id: "colours",
      label: isDark ? "Light colours" : "Dark colours",
      Icon: isDark ? IconSun : IconMoon,
      run: () => setColorScheme(isDark ? "light" : "dark"),
    },
  ];
}
