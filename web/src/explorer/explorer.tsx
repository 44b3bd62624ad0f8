import { Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo, useRef } from "react";
import { pointsQuery, type TaskPoints } from "~/api/points";
import { baselineQuery } from "~/api/results";
import { usePalette } from "~/charts/palette";
import { DisturbanceNotice } from "~/task/disturbance-notice";
import { useWhenIdle } from "~/ui/after-paint";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { Chart } from "./chart";
import classes from "./explorer.module.css";
import type { ChartForm } from "./export-menu";
import { exportAs } from "./exports";
import { Failures } from "./failures";
import { Legend } from "./legend";
import { Parallel } from "./parallel";
import { PinnedCard } from "./pinned-card";
import { PointTable } from "./point-table";
import { readingAt } from "./reading";
import { picked, swapped } from "./selection";
import { SloPanel } from "./slo-panel";
import { Toolbar } from "./toolbar";
import { useExploration } from "./use-exploration";
import { valuesOf, zoomedAtCentre } from "./use-pan-zoom";
import { useView } from "./use-view";
import { ValueAtPanel } from "./value-at-panel";
import { isUnmet } from "./why-not";
import { WhyNotPanel } from "./why-not-panel";

const route = getRouteApi("/tasks/$taskId/explorer");

/** Every operating point of a task, in whichever plane the reader wants to see it. */
export function Explorer() {
  const { taskId } = route.useParams();
  const points = useQuery(pointsQuery(taskId));
  if (points.isPending) return <Loading />;
  if (points.data === undefined) {
    return <ErrorNotice error={points.error} onRetry={() => void points.refetch()} />;
  }
  if (points.data.items.length === 0) {
    return (
      <EmptyState
        title="No points yet"
        text="Predicted points appear when the task is planned, measured ones with its first launch."
      />
    );
  }
  return <Explored taskId={taskId} data={points.data} />;
}

function Explored({ taskId, data }: { taskId: number; data: TaskPoints }) {
  const [view, change] = useView();
  const baseline = useQuery(baselineQuery(taskId)).data ?? null;
  const exploration = useExploration(data, view, baseline);
  const { set, scene, segments, varying, limits, recommendation } = exploration;
  const { plane } = scene;
  const hasSlo = Object.keys(data.slo).length > 0;
  const isSloUnmet = useMemo(() => isUnmet(set, data.slo), [set, data.slo]);
  const palette = usePalette();

  // Axes side by side follow when there is time: the chart goes first.
  const calm = useWhenIdle(exploration);
  const { pinned, compared } = view;
  const pins = useMemo(
    () => [pinned, compared].map((id) => set.indexOf(id)).filter((index) => index >= 0),
    [set, pinned, compared],
  );
  const pinnedPoints = useMemo(() => pins.flatMap((index) => set.points[index] ?? []), [set, pins]);
  const pinnedIds = useMemo(() => pinnedPoints.map(({ id }) => id), [pinnedPoints]);
  const { frontiers } = scene;
  const reading = useMemo(() => readingAt(plane, frontiers, view.at), [plane, frontiers, view.at]);

  const onPick = useCallback((id: string) => change((before) => picked(before, id)), [change]);
  const onLimit = useCallback(
    (name: string, limit: number) => change({ slo: { ...limits, [name]: limit } }),
    [change, limits],
  );
  const onZoom = useCallback((zoom: typeof view.zoom) => change({ zoom }), [change]);
  const onSort = useCallback((sort: string | null) => change({ sort }), [change]);
  const onAt = useCallback((at: number | null) => change({ at }), [change]);
  const onLimits = useCallback((slo: typeof view.slo) => change({ slo }), [change]);
  const onBrushes = useCallback((brushes: typeof view.brushes) => change({ brushes }), [change]);
  const onSwap = useCallback(() => change((before) => swapped(before)), [change]);
  const onClear = useCallback(() => change({ pinned: null, compared: null }), [change]);

  const latest = useRef({ exploration, marks: { colorByOrder: view.colorByOrder, pinned: pins } });
  latest.current = { exploration, marks: { colorByOrder: view.colorByOrder, pinned: pins } };
  const onZoomBy = useCallback(
    (share: number) => {
      const { spans, scene } = latest.current.exploration;
      change({ zoom: valuesOf(zoomedAtCentre(spans, share), scene.plane) });
    },
    [change],
  );
  const onExport = useCallback(
    (form: ChartForm) => {
      const { exploration, marks } = latest.current;
      void exportAs(taskId, form, exploration, marks, palette);
    },
    [taskId, palette],
  );
  const table = (
    <PointTable
      exploration={exploration}
      sort={view.sort}
      isAgainstBaseline={view.againstBaseline}
      pinned={pinnedIds}
      onSort={onSort}
      onPick={onPick}
    />
  );
  const chart = (
    <>
      <Legend exploration={exploration} view={view} />
      <Chart
        exploration={exploration}
        colorByOrder={view.colorByOrder}
        pinned={pins}
        reading={reading}
        onPick={onPick}
        onZoom={onZoom}
        onLimit={onLimit}
      />
      {scene.missing > 0 && (
        <Text size="xs" className="quiet">
          {counted(scene.missing, "point has", "points have")} no place here: a figure is missing
          {plane.logX || plane.logY ? ", or 0 on a logarithmic axis." : "."}
        </Text>
      )}
      {segments?.isThinned && (
        <Text size="xs" className="quiet">
          Pairs and intervals are drawn of the frontier only: there are too many to tell apart.
        </Text>
      )}
    </>
  );

  return (
    <Stack gap="md">
      <DisturbanceNotice />
      <section className={`card ${classes.controls}`} aria-label="What is shown">
        <Toolbar
          view={view}
          choices={exploration.choices}
          x={plane.x.key}
          y={plane.y.key}
          hasBaseline={exploration.reference !== null}
          onChange={change}
          onZoomBy={onZoomBy}
          onExport={onExport}
        />
        <div className={classes.limits}>
          <SloPanel
            set={set}
            x={plane.x}
            y={plane.y}
            limits={limits}
            measured={exploration.measured}
            predicted={exploration.predicted}
            recommendation={recommendation}
            usual={view.slo === null ? null : hasSlo ? "The task's SLO" : "No limits"}
            onLimits={onLimits}
            onPick={onPick}
          />
          <ValueAtPanel
            set={set}
            plane={plane}
            at={view.at}
            reading={reading}
            onAt={onAt}
            onPick={onPick}
          />
        </div>
      </section>
      {isSloUnmet && <WhyNotPanel taskId={taskId} limits={limits} onLimits={onLimits} />}
      <div className={classes.columns} data-pinned={pinnedPoints.length > 0 || undefined}>
        <Stack gap="md">
          <section className={`card ${classes.chart}`} aria-label="Points">
            {view.as === "table" ? table : chart}
            {view.showFailures && <Failures taskId={taskId} varying={varying} />}
          </section>
          <Parallel
            exploration={calm}
            objectives={data.objectives}
            brushes={view.brushes}
            pinned={pins}
            onBrushes={onBrushes}
          />
        </Stack>
        {pinnedPoints.length > 0 && (
          <PinnedCard
            taskId={taskId}
            points={pinnedPoints}
            varying={varying}
            onSwap={onSwap}
            onClear={onClear}
          />
        )}
      </div>
      {recommendation === null && (
        <Text size="xs" className="quiet">
          No point has every figure that the recommendation needs.
        </Text>
      )}
    </Stack>
  );
}

function Loading() {
  return (
    <Stack gap="md" aria-busy aria-label="Loading the points">
      <Skeleton h={172} radius="md" />
      <Skeleton h={480} radius="md" />
      <Skeleton h={340} radius="md" />
    </Stack>
  );
}
