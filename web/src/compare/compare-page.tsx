import { Alert, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { CopyButton } from "~/ui/copy-button";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { AddSeries } from "./add-series";
import { changesBetween, leftOutInWords, notJudgedInWords } from "./changes";
import { ChangeTable, DifferenceTable } from "./compare-tables";
import { marksOf, warnings } from "./mixture";
import { PointsCard } from "./points-card";
import {
  type CompareSearch,
  fileIds,
  MOST_SERIES,
  taskNumbers,
  withAdded,
  withFirst,
} from "./search-params";
import type { Series } from "./series";
import { useSeries } from "./use-series";

const route = getRouteApi("/compare");

/** Several tasks, and results of others, side by side. */
export function ComparePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const tasks = taskNumbers(search.tasks);
  const files = fileIds(search.files);
  const { series: found, unread, isPending } = useSeries(tasks, files);
  // A file is as many series as it holds models and workloads.
  const series = useMemo(() => found.slice(0, MOST_SERIES), [found]);
  // What is shown stays while another is read; at first all are waited for, so that the baseline is the first.
  const isShown = useRef(false);
  isShown.current = series.length > 0 && (isShown.current || !isPending);
  const changeBy = (partOf: (before: CompareSearch) => CompareSearch) =>
    void navigate({
      search: (before) => ({ ...before, ...partOf(before) }),
      replace: true,
      resetScroll: false,
    });
  const change = (part: CompareSearch) => changeBy(() => part);
  const remove = ({ taskId, fileId }: Series) =>
    change({
      tasks: tasks.filter((id) => id !== taskId).join(",") || undefined,
      files: files.filter((id) => id !== fileId).join(",") || undefined,
    });
  const putFirst = (one: Series) => change(withFirst(search, one));
  return (
    <Stack gap="md" className="page">
      <Group justify="space-between" gap="sm">
        <div>
          <Title order={1} fz="xl">
            Compare
          </Title>
          <Text size="sm" className="quiet">
            Engine against engine, version against version, today against last month: on the same
            axes, against the first.
          </Text>
        </div>
        {series.length > 0 && <CopyButton text={location.href} what="link" label="Copy link" />}
      </Group>
      <AddSeries
        tasks={tasks}
        files={files}
        // An upload ends later: what was added meanwhile stays.
        onAdd={(one) => changeBy((before) => withAdded(before, one))}
      />
      {unread.map(({ key, error, retry }) => (
        <ErrorNotice key={key} error={error} onRetry={retry} />
      ))}
      {found.length > series.length && (
        <Text size="sm" className="quiet">
          The first {series.length} of {found.length} series: no more can be distinguished on one
          plane.
        </Text>
      )}
      {tasks.length + files.length === 0 && (
        <EmptyState
          title="Nothing is chosen yet"
          text="Choose tasks or uploaded results above, or select tasks in the list and press Compare."
        />
      )}
      {isPending && <Skeleton height={isShown.current ? 24 : 440} aria-busy />}
      {isShown.current && (
        <Shown
          series={series}
          search={search}
          onChange={change}
          onFirst={putFirst}
          onRemove={remove}
        />
      )}
    </Stack>
  );
}

interface ShownProps {
  series: readonly Series[];
  search: CompareSearch;
  onChange: (part: CompareSearch) => void;
  onFirst: (one: Series) => void;
  onRemove: (one: Series) => void;
}

function Shown({ series, search, onChange, onFirst, onRemove }: ShownProps) {
  const [first, ...others] = series as [Series, ...Series[]];
  const changes = useMemo(() => {
    const [baseline, ...rest] = series;
    return baseline ? rest.map((other) => changesBetween(baseline, other)) : [];
  }, [series]);
  const hasSame = changes.some(({ rows }) => rows.some(({ pairs }) => pairs > 0));
  const remarks = [notJudgedInWords(changes), leftOutInWords(changes)].filter(
    (text) => text !== null,
  );
  const warned = warnings(series, marksOf(series));
  return (
    <>
      {warned.length > 0 && (
        <Alert color="orange" role="status" title="These may not be of the same model and workload">
          <Text size="sm" className="text-of-users">
            {warned.join(" ")} Marked series are drawn hollow and dashed: their figures do not tell
            which is better.
          </Text>
        </Alert>
      )}
      <PointsCard
        series={series}
        search={search}
        onChange={onChange}
        onFirst={onFirst}
        onRemove={onRemove}
      />
      <section className="card card-stack" aria-labelledby="differences">
        <Title order={2} fz="md" id="differences">
          What differs
        </Title>
        <Text size="sm" className="quiet">
          The tasks themselves, and their recommended points.
        </Text>
        <DifferenceTable series={series} />
      </section>
      {others.length > 0 && (
        <section className="card card-stack" aria-labelledby="changes">
          <Title order={2} fz="md" id="changes">
            The same configurations, then and now
          </Title>
          <Text size="sm" className="quiet">
            Points with the same engine, GPU, settings and load in both. A change is clear where the
            95 % intervals do not meet; of figures without an interval nothing is said.
          </Text>
          {hasSame ? (
            <ChangeTable first={first} changes={changes} />
          ) : (
            <EmptyState
              isSmall
              title="No configuration was measured in both"
              text="Their frontiers can be compared above; point by point there is nothing to compare."
            />
          )}
          {remarks.map((text) => (
            <Text key={text} size="xs" className="quiet text-of-users">
              {text}
            </Text>
          ))}
        </section>
      )}
    </>
  );
}
