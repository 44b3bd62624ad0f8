import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { pointsQuery } from "~/api/points";
import { taskQuery } from "~/api/tasks";
import { resultPointsQuery } from "~/api/verify";
import { type Series, seriesOfFile, seriesOfTask } from "./series";

interface Unread {
  key: string;
  error: unknown;
  retry: () => void;
}

/** The series of these tasks and files, in that order, as far as they are read. */
export function useSeries(tasks: readonly number[], files: readonly string[]) {
  const about = useQueries({ queries: tasks.map((id) => taskQuery(id)) });
  const points = useQueries({ queries: tasks.map((id) => pointsQuery(id)) });
  const results = useQueries({ queries: files.map((id) => resultPointsQuery(id)) });
  const read = [...about, ...points, ...results];
  // Each answer is an object of its own: whatever changes among them makes the series anew.
  const stamp = read.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp stands for what was read.
  const series = useMemo((): Series[] => {
    const ofTasks = tasks.flatMap((_, place) => {
      const [task, found] = [about[place]?.data, points[place]?.data];
      return task && found ? seriesOfTask(task, found) : [];
    });
    const ofFiles = results.flatMap(({ data }) => (data ? seriesOfFile(data) : []));
    return [...ofTasks, ...ofFiles];
  }, [stamp, tasks.join(), files.join()]);
  const unread = [
    ...tasks.flatMap((id, place) => notRead(`Task ${id}`, [about[place], points[place]])),
    ...files.flatMap((id, place) => notRead(`Results ${id}`, [results[place]])),
  ];
  return { series, unread, isPending: read.some((one) => one.isPending) };
}

interface Asked {
  isError: boolean;
  error: unknown;
  data: unknown;
  refetch: () => unknown;
}

function notRead(key: string, asked: readonly (Asked | undefined)[]): Unread[] {
  const failed = asked.find((one) => one?.isError && one.data === undefined);
  return failed ? [{ key, error: failed.error, retry: () => void failed.refetch() }] : [];
}
