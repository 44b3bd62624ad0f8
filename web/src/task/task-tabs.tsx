import { Link, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Task } from "~/api/tasks";
import { count } from "~/ui/format";
import classes from "./task-page.module.css";

const TABS = [
  { to: "/tasks/$taskId", title: "Overview" },
  { to: "/tasks/$taskId/explorer", title: "Explorer" },
  { to: "/tasks/$taskId/search", title: "Search" },
  { to: "/tasks/$taskId/experiments", title: "Experiments" },
  { to: "/tasks/$taskId/performance", title: "Performance" },
  { to: "/tasks/$taskId/sizing", title: "Sizing" },
  { to: "/tasks/$taskId/configuration", title: "Configuration" },
  { to: "/tasks/$taskId/comparison", title: "Comparison" },
  { to: "/tasks/$taskId/log", title: "Log" },
] as const;

/** Parts of a task as links, so that each can be opened, shared and gone back to. */
export function TaskTabs({ task }: { task: Task }) {
  const experiments = task.experiments.total;
  const tabs = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another tab.
  useEffect(() => {
    // Where the tabs are wider than the window, the chosen one is in sight; the page stays put.
    const show = () => bringToSight(tabs.current);
    show();
    window.addEventListener("resize", show);
    return () => window.removeEventListener("resize", show);
  }, [pathname]);
  return (
    <nav ref={tabs} className={`${classes.tabs} scroll-x`} aria-label="Parts of this task">
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

/** Scrolls a row of links sideways until the one of the page is whole. */
function bringToSight(row: HTMLElement | null): void {
  const chosen = row?.querySelector<HTMLElement>("[aria-current]");
  if (!row || !chosen) return;
  row.scrollLeft = Math.max(0, chosen.offsetLeft + chosen.offsetWidth - row.clientWidth);
}
