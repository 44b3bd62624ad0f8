/** Addresses of pages. Each page is loaded when it is opened first. */

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouterHistory,
  redirect,
} from "@tanstack/react-router";
import { tasksQuery } from "~/api/tasks";
import { type CompareSearch, compareSearch } from "~/compare/search-params";
import { type ComparisonSearch, comparisonSearch } from "~/comparison/search-params";
import { type ExperimentsSearch, experimentsSearch } from "~/experiments/search-params";
import { type ExplorerSearch, explorerSearch } from "~/explorer/search-params";
import { type LegacySearch, legacySearch } from "~/legacy/search-params";
import {
  type NewTaskSearch,
  newTaskSearch,
  type WantedTask,
  wantedOf,
} from "~/new-task/search-params";
import { type PerformanceSearch, performanceSearch } from "~/performance/search-params";
import {
  type EditProfileSearch,
  editProfileSearch,
  type ProfilesSearch,
  profilesSearch,
} from "~/profiles/search-params";
import { type SizingSearch, sizingSearch } from "~/sizing/search-params";
import { type LogSearch, logSearch } from "~/task/log-search-params";
import { filterOf, type TaskListSearch, taskListSearch } from "~/tasks/search-params";
import { type VerifySearch, verifySearch } from "~/verify/search-params";
import { NotFoundPage } from "./not-found";
import { PageError } from "./page-error";
import { PageLoading } from "./page-loading";
import { hasNoTasks, readAhead } from "./queries";
import { Shell } from "./shell";

interface RouterContext {
  queries: QueryClient;
}

const root = createRootRouteWithContext<RouterContext>()({ component: Shell });

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async ({ context: { queries } }) => {
    const isEmpty = await hasNoTasks(queries);
    throw isEmpty
      ? redirect({ to: "/start", replace: true })
      : redirect({ to: "/tasks", search: {}, replace: true });
  },
});

const start = createRoute({
  getParentRoute: () => root,
  path: "/start",
  validateSearch: (search): WantedTask => wantedOf(search),
  staticData: { title: "Start" },
  component: lazyRouteComponent(() => import("~/start/start-page"), "StartPage"),
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  validateSearch: (search): TaskListSearch => taskListSearch(search),
  loaderDeps: ({ search }) => search,
  // Beside the page's own code, and not after it.
  loader: ({ context: { queries }, deps }) => void readAhead(queries, tasksQuery(filterOf(deps))),
  staticData: { title: "Tasks" },
  component: lazyRouteComponent(() => import("~/tasks/tasks-page"), "TasksPage"),
});

const newTask = createRoute({
  getParentRoute: () => root,
  path: "/tasks/new",
  validateSearch: (search): NewTaskSearch => newTaskSearch(search),
  staticData: { title: "New task" },
  component: lazyRouteComponent(() => import("~/new-task/new-task-page"), "NewTaskPage"),
});

const migration = createRoute({
  getParentRoute: () => root,
  path: "/migration",
  staticData: { title: "Migration" },
  component: lazyRouteComponent(() => import("~/migration/migration-page"), "MigrationPage"),
});

const profiles = createRoute({
  getParentRoute: () => root,
  path: "/profiles",
  validateSearch: (search): ProfilesSearch => profilesSearch(search),
  staticData: { title: "Profiles" },
  component: lazyRouteComponent(() => import("~/profiles/profiles-page"), "ProfilesPage"),
});

const editProfile = createRoute({
  getParentRoute: () => root,
  path: "/profiles/edit",
  validateSearch: (search): EditProfileSearch => editProfileSearch(search),
  staticData: { title: "Edit a profile" },
  component: lazyRouteComponent(() => import("~/profiles/edit-profile-page"), "EditProfilePage"),
});

const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  staticData: { title: "System" },
  component: lazyRouteComponent(() => import("~/system/system-page"), "SystemPage"),
});

const legacy = createRoute({
  getParentRoute: () => root,
  path: "/tasks/legacy",
  validateSearch: (search): LegacySearch => legacySearch(search),
  staticData: { title: "Tasks of version 1" },
  component: lazyRouteComponent(() => import("~/legacy/legacy-page"), "LegacyPage"),
});

const legacyTask = createRoute({
  getParentRoute: () => root,
  path: "/tasks/legacy/$v1TaskId",
  params: {
    parse: ({ v1TaskId }) => ({ v1TaskId: Number(v1TaskId) }),
    stringify: ({ v1TaskId }) => ({ v1TaskId: String(v1TaskId) }),
  },
  staticData: { title: "Task of version 1" },
  component: lazyRouteComponent(() => import("~/legacy/legacy-task-page"), "LegacyTaskPage"),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/compare",
  validateSearch: (search): CompareSearch => compareSearch(search),
  staticData: { title: "Compare" },
  component: lazyRouteComponent(() => import("~/compare/compare-page"), "ComparePage"),
});

const verify = createRoute({
  getParentRoute: () => root,
  path: "/verify",
  validateSearch: (search): VerifySearch => verifySearch(search),
  staticData: { title: "Verify" },
  component: lazyRouteComponent(() => import("~/verify/verify-page"), "VerifyPage"),
});

const task = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$taskId",
  params: {
    parse: ({ taskId }) => ({ taskId: Number(taskId) }),
    stringify: ({ taskId }) => ({ taskId: String(taskId) }),
  },
  component: lazyRouteComponent(() => import("~/task/task-page"), "TaskPage"),
});

const overview = createRoute({
  getParentRoute: () => task,
  path: "/",
  component: lazyRouteComponent(() => import("~/task/overview"), "Overview"),
});

const explorer = createRoute({
  getParentRoute: () => task,
  path: "/explorer",
  validateSearch: (search): ExplorerSearch => explorerSearch(search),
  staticData: { title: "Explorer" },
  component: lazyRouteComponent(() => import("~/explorer/explorer"), "Explorer"),
});

const story = createRoute({
  getParentRoute: () => task,
  path: "/search",
  staticData: { title: "Search" },
  component: lazyRouteComponent(() => import("~/task/search-story"), "SearchStory"),
});

const experiments = createRoute({
  getParentRoute: () => task,
  path: "/experiments",
  validateSearch: (search): ExperimentsSearch => experimentsSearch(search),
  staticData: { title: "Experiments" },
  component: lazyRouteComponent(() => import("~/experiments/experiments"), "Experiments"),
});

const experiment = createRoute({
  getParentRoute: () => task,
  path: "/experiments/$index",
  params: {
    parse: ({ index }) => ({ index: Number(index) }),
    stringify: ({ index }) => ({ index: String(index) }),
  },
  staticData: { title: "Experiment" },
  component: lazyRouteComponent(() => import("~/experiments/experiment"), "ExperimentDetails"),
});

const performance = createRoute({
  getParentRoute: () => task,
  path: "/performance",
  validateSearch: (search): PerformanceSearch => performanceSearch(search),
  staticData: { title: "Performance" },
  component: lazyRouteComponent(() => import("~/performance/performance-page"), "PerformancePage"),
});

const sizing = createRoute({
  getParentRoute: () => task,
  path: "/sizing",
  validateSearch: (search): SizingSearch => sizingSearch(search),
  staticData: { title: "Sizing" },
  component: lazyRouteComponent(() => import("~/sizing/sizing-page"), "SizingPage"),
});

const configuration = createRoute({
  getParentRoute: () => task,
  path: "/configuration",
  staticData: { title: "Configuration" },
  component: lazyRouteComponent(() => import("~/task/configuration"), "Configuration"),
});

const comparison = createRoute({
  getParentRoute: () => task,
  path: "/comparison",
  validateSearch: (search): ComparisonSearch => comparisonSearch(search),
  staticData: { title: "Comparison" },
  component: lazyRouteComponent(() => import("~/comparison/comparison"), "Comparison"),
});

const log = createRoute({
  getParentRoute: () => task,
  path: "/log",
  validateSearch: (search): LogSearch => logSearch(search),
  staticData: { title: "Log" },
  component: lazyRouteComponent(() => import("~/task/task-log"), "TaskLog"),
});

const tree = root.addChildren([
  index,
  start,
  tasks,
  newTask,
  migration,
  profiles,
  editProfile,
  system,
  legacy,
  legacyTask,
  compare,
  verify,
  task.addChildren([
    overview,
    explorer,
    story,
    experiments,
    experiment,
    performance,
    sizing,
    configuration,
    comparison,
    log,
  ]),
]);

/** The router; its history is the browser's unless another is given. */
export function createAppRouter(queries: QueryClient, history?: RouterHistory) {
  return createRouter({
    ...(history ? { history } : {}),
    routeTree: tree,
    context: { queries },
    defaultPreload: "intent",
    defaultPendingComponent: PageLoading,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
