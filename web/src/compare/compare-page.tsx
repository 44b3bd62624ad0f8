import { Alert, Checkbox, Group, NativeSelect, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { resultFilesQuery } from "~/api/verify";
import { axisChoices, planeOf, usualAxes } from "~/explorer/axes";
import { PointSet } from "~/explorer/point-set";
import { CopyButton } from "~/ui/copy-button";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { TaskPicker } from "~/verify/task-picker";
import { changesBetween, leftOutInWords } from "./changes";
import classes from "./compare.module.css";
import { CompareChart } from "./compare-chart";
import { CompareLegend } from "./compare-legend";
import { ChangeTable, DifferenceTable } from "./compare-tables";
import { DotTable } from "./dot-table";
import { dotsOf } from "./dots";
import { marksOf, warnings } from "./mixture";
import { strokeOf } from "./plane-option";
import { type CompareSearch, fileIds, MOST_SERIES, taskNumbers, withFirst } from "./search-params";
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
  const change = (part: CompareSearch) =>
    void navigate({
      search: (before) => ({ ...before, ...part }),
      replace: true,
      resetScroll: false,
    });
  const remove = ({ taskId, fileId }: Series) =>
    change({
      tasks: tasks.filter((id) => id !== taskId).join(",") || undefined,
      files: files.filter((id) => id !== fileId).join(",") || undefined,
    });
  const putFirst = (one: Series) => change(withFirst(search, one));
  return (
    <Stack gap="md" className={classes.page}>
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
      <AddSeries tasks={tasks} files={files} onChange={change} />
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

interface AddSeriesProps {
  tasks: readonly number[];
  files: readonly string[];
  onChange: (part: CompareSearch) => void;
}

function AddSeries({ tasks, files, onChange }: AddSeriesProps) {
  const kept = useQuery(resultFilesQuery).data?.items ?? [];
  if (tasks.length + files.length >= MOST_SERIES) {
    return (
      <Text size="sm" className="quiet">
        {MOST_SERIES} series can be distinguished on one plane; leave one out to add another.
      </Text>
    );
  }
  return (
    <Group gap="sm" align="end">
      <TaskPicker
        key={tasks.join()}
        label="Task to add"
        id={null}
        onChange={(id) => {
          if (id !== null) onChange({ tasks: [...new Set([...tasks, id])].join(",") });
        }}
      />
      {kept.length > 0 && (
        <NativeSelect
          size="sm"
          aria-label="Uploaded results to add"
          value=""
          onChange={(event) => {
            const id = event.currentTarget.value;
            if (id) onChange({ files: [...new Set([...files, id])].join(",") });
          }}
          data={[
            { value: "", label: "Add uploaded results" },
            ...kept.map(({ id, name, format }) => ({ value: id, label: `${name} · ${format}` })),
          ]}
        />
      )}
    </Group>
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
  const marks = useMemo(() => marksOf(series), [series]);
  const strokes = useMemo(
    () =>
      series.map(({ isPredicted }, place) =>
        strokeOf((marks[place]?.length ?? 0) > 0, isPredicted),
      ),
    [series, marks],
  );
  const choices = useMemo(
    () => axisChoices(new PointSet(series.flatMap(({ points }) => points.points))),
    [series],
  );
  const usual = usualAxes(first.objectives, choices);
  const known = (key: string | undefined) => choices.find((one) => one.key === key)?.key;
  const x = known(search.x) ?? usual.x;
  const y = known(search.y) ?? usual.y;
  const logX = search.log?.includes("x") ?? false;
  const logY = search.log?.includes("y") ?? false;
  const onlyFrontier = search.only === "frontier";
  const dots = useMemo(
    () => series.map(({ points }) => dotsOf(planeOf(points, { x, y, logX, logY }), onlyFrontier)),
    [series, x, y, logX, logY, onlyFrontier],
  );
  const setLog = (across: boolean, upwards: boolean) => {
    const log = `${across ? "x" : ""}${upwards ? "y" : ""}` as "x" | "y" | "xy" | "";
    onChange({ log: log || undefined });
  };
  const axis = (at: "x" | "y", value: string) => (
    <NativeSelect
      size="xs"
      label={at === "x" ? "Across" : "Upwards"}
      value={value}
      onChange={(event) => onChange({ [at]: event.currentTarget.value })}
      data={choices.map(({ key, title }) => ({ value: key, label: title }))}
    />
  );
  const changes = useMemo(() => {
    const [baseline, ...rest] = series;
    return baseline ? rest.map((other) => changesBetween(baseline, other)) : [];
  }, [series]);
  const hasSame = changes.some(({ rows }) => rows.some(({ pairs }) => pairs > 0));
  const leftOut = leftOutInWords(changes);
  const warned = warnings(series, marks);
  return (
    <>
      {warned.length > 0 && (
        <Alert
          color="orange"
          role="status"
          title="These are not known to be of one model and workload"
        >
          <Text size="sm" className="text-of-users">
            {warned.join(" ")} What is marked is drawn hollow and dashed: its figures are no answer
            to which is better.
          </Text>
        </Alert>
      )}
      <section className={`card ${classes.card}`} aria-label="Operating points">
        <Group gap="sm" align="end">
          {axis("y", y)}
          {axis("x", x)}
          <Checkbox
            size="xs"
            label="log across"
            checked={logX}
            onChange={(event) => setLog(event.currentTarget.checked, logY)}
          />
          <Checkbox
            size="xs"
            label="log upwards"
            checked={logY}
            onChange={(event) => setLog(logX, event.currentTarget.checked)}
          />
          <Checkbox
            size="xs"
            label="frontiers only"
            checked={onlyFrontier}
            onChange={(event) =>
              onChange({ only: event.currentTarget.checked ? "frontier" : undefined })
            }
          />
        </Group>
        {choices.length === 0 ? (
          <EmptyState
            isSmall
            title="Nothing is measured yet"
            text="Points stand here once one of the tasks has measured its first launch."
          />
        ) : (
          <CompareChart series={series} dots={dots} strokes={strokes} />
        )}
        <CompareLegend
          series={series}
          marks={marks}
          strokes={strokes}
          onFirst={onFirst}
          onRemove={onRemove}
        />
        {choices.length > 0 && <DotTable series={series} dots={dots} x={x} y={y} />}
      </section>
      <section className={`card ${classes.card}`} aria-labelledby="differences">
        <Title order={2} fz="md" id="differences">
          What differs
        </Title>
        <Text size="sm" className="quiet">
          The tasks themselves, and their recommended points.
        </Text>
        <DifferenceTable series={series} />
      </section>
      {others.length > 0 && (
        <section className={`card ${classes.card}`} aria-labelledby="changes">
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
          {leftOut && (
            <Text size="xs" className="quiet text-of-users">
              {leftOut}
            </Text>
          )}
        </section>
      )}
    </>
  );
}
