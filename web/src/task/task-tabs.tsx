import { Link } from "@tanstack/react-router";
import type { Task } from "~/api/tasks";
import { count } from "~/ui/format";
import classes from "./task-page.module.css";

const TABS = [
  { to: "/tasks/$taskId", title: "Overview" },
  { to: "/tasks/$taskId/explorer", title: "Explorer" },
  { to: "/tasks/$taskId/search", title: "Search" },
  { to: "/tasks/$taskId/experiments", title: "Experiments" },
  { to: "/tasks/$taskId/configuration", title: "Configuration" },
  { to: "/tasks/$taskId/comparison", title: "Comparison" },
  { to: "/tasks/$taskId/log", title: "Log" },
] as const;

/** Parts of a task as links, so that each can be opened, shared and gone back to. */
export function TaskTabs({ task }: { task: Task }) {
  const experiments = task.experiments.total;
  return (
    <nav className={classes.tabs} aria-label="Parts of this task">
      {TABS.map(({ to, title }) => (
        <Link
          key={to}
          to={to}
          params={{ taskId: task.id }}
          search={{}}
          className={classes.tab}
          activeOptions={{ exact: to === "/tasks/$taskId", includeSearch: false }}
          activeProps={{ "aria-current": "page" }}
        >
          {title}
          {title === "Experiments" && experiments > 0 && (
            <span className={classes.count}>{count(experiments)}</span>
          )}
        </Link>
      ))}
    </nav>
  );
}
