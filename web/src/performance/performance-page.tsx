import { Button, NativeSelect, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { type Performance, performanceQuery } from "~/api/performance";
import { type OperatingPoint, pointsQuery } from "~/api/points";
import { ApiProblem } from "~/api/problems";
import { pointName } from "~/explorer/describe-point";
import { DisturbanceNotice } from "~/task/disturbance-notice";
import { SettingsLine } from "~/task/settings-line";
import { useTask } from "~/task/task-context";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { device, load, number, unbroken } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { StaleBox } from "~/ui/stale-box";
import { HelpsCard } from "./helps-card";
import { LatencyBar } from "./latency-bar";
import { LearntCard } from "./learnt-card";
import { PartsCard } from "./parts-card";
import classes from "./performance.module.css";
import { askedOf, type PerformanceSearch } from "./search-params";
import { launchesInWords } from "./words";

const route = getRouteApi("/tasks/$taskId/performance");

/** Where the time of a point goes, what limits it, and which settings would help. */
export function PerformancePage() {
  const { taskId } = route.useParams();
  const search = route.useSearch();
  const found = useQuery({
    ...performanceQuery(taskId, search),
    // The point before of the same task stands there meanwhile, and is called that.
    placeholderData: (before: Performance | undefined) =>
      before?.task === taskId ? before : undefined,
  });
  const isUnexplained = found.error instanceof ApiProblem && found.error.isConflict;
  return (
    <Stack gap="md">
      <DisturbanceNotice />
      <PointPicker taskId={taskId} search={search} />
      {found.isPending && <Loading />}
      {found.isError && <NotExplained error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPlaceholderData && (
        <Text size="sm" role="status">
          Loading the chosen point. Below is still the one before.
        </Text>
      )}
      {found.data && !isUnexplained && (
        <StaleBox isStale={found.isPlaceholderData}>
          <Explained found={found.data} />
        </StaleBox>
      )}
    </Stack>
  );
}

/** The points of the frontier, and the recommended one. */
function PointPicker({ taskId, search }: { taskId: number; search: PerformanceSearch }) {
  const navigate = route.useNavigate();
  const points = useQuery(pointsQuery(taskId)).data?.items;
  const offered = useMemo(() => offeredOf(points ?? []), [points]);
  const own = JSON.stringify(search);
  const isKnown = own === "{}" || offered.some(({ value }) => value === own);
  return (
    <NativeSelect
      size="sm"
      w="min(320px, 100%)"
      label="Operating point"
      value={own}
      onChange={(event) =>
        void navigate({
          search: JSON.parse(event.currentTarget.value) as PerformanceSearch,
          replace: true,
          resetScroll: false,
        })
      }
      data={[
        { value: "{}", label: "The recommended point" },
        ...(isKnown ? [] : [{ value: own, label: nameOf(search, points ?? []) }]),
        ...offered,
      ]}
    />
  );
}

function offeredOf(points: readonly OperatingPoint[]) {
  return points
    .filter(({ kind, on_frontier: isOnFrontier }) => kind === "measured" && isOnFrontier)
    .map((point) => ({ value: JSON.stringify(askedOf(point)), label: pointName(point) }));
}

function nameOf(search: PerformanceSearch, points: readonly OperatingPoint[]): string {
  const value = JSON.stringify(search);
  const point = points.find((one) => JSON.stringify(askedOf(one)) === value);
  if (point) return pointName(point);
  return search.candidate ? `Candidate ${search.candidate.slice(0, 7)}` : "The point of this link";
}

function NotExplained({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (error instanceof ApiProblem && error.isConflict) {
    return <EmptyState title="There is nothing to explain yet" text={asSentence(error.detail)} />;
  }
  if (error instanceof ApiProblem && error.isForbiddenByPolicy) {
    const reasons = error.faults.map(({ path, message }) => asSentence(`${path}: ${message}`));
    return (
      <EmptyState
        title="The operator's policy does not let the service explain this task"
        text={
          <span className="text-of-users">{reasons.join(" ") || asSentence(error.detail)}</span>
        }
        action={<Button onClick={onRetry}>Try again</Button>}
      />
    );
  }
  return <ErrorNotice error={error} onRetry={onRetry} />;
}

function Explained({ found }: { found: Performance }) {
  const task = useTask();
  const axes = Object.keys(task.plan?.axes ?? {}).filter((path) => path in found.settings);
  return (
    <Stack gap="md">
      <section className="card card-stack" aria-labelledby="time">
        <div>
          <Title order={2} fz="md" id="time">
            Where the time goes
          </Title>
          <Text size="sm" className="quiet text-of-users">
            {found.model} on {found.engine}, {device(found.device)}; {number(found.isl)} tokens in,{" "}
            {number(found.osl)} out; {found.measured ? "measured" : "predicted, not launched"}.{" "}
            {asSentence(unbroken(found.chosen))}
          </Text>
        </div>
        <SettingsLine settings={found.settings} axes={axes} load={load(found.load)} />
        {found.notes.map((note) => (
          <Text key={note} size="sm" className="text-of-users">
            {asSentence(note)}
          </Text>
        ))}
        <div className={classes.bars}>
          {found.latencies.map((latency) => (
            <LatencyBar key={latency.quantity} latency={latency} found={found} />
          ))}
        </div>
        <Text size="xs" className="quiet">
          {launchesInWords(found)}
        </Text>
      </section>
      <HelpsCard found={found} />
      <PartsCard found={found} />
      <LearntCard found={found} />
    </Stack>
  );
}

function Loading() {
  return (
    <Stack gap="md" aria-busy="true" aria-label="Loading">
      <Skeleton h={260} radius="md" />
      <Skeleton h={320} radius="md" />
    </Stack>
  );
}
