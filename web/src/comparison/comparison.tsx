import { Group, SegmentedControl, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { comparisonQuery, type LevelComparison } from "~/api/comparison";
import { DisturbanceNotice } from "~/task/disturbance-notice";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { quantity } from "~/ui/quantities";
import { asSentence } from "~/ui/sentence";
import classes from "./comparison.module.css";
import { ErrorTable, WorstTable } from "./error-tables";
import { type Dimension, errorsBy, errorsOf, pairsOf } from "./errors";
import { METRICS, type Metric } from "./metrics";
import { Scatter } from "./scatter";
import type { ComparisonSearch } from "./search-params";

const route = getRouteApi("/tasks/$taskId/comparison");

/** What was predicted of each level before its launch, against what was measured. */
export function Comparison() {
  const { taskId } = route.useParams();
  const comparison = useQuery(comparisonQuery(taskId));
  if (comparison.isPending) return <Loading />;
  if (comparison.data === undefined) {
    return <ErrorNotice error={comparison.error} onRetry={() => void comparison.refetch()} />;
  }
  const { levels } = comparison.data;
  if (!levels.some((level) => level.measured !== null)) {
    return (
      <EmptyState
        title="Nothing to compare yet"
        text="Predictions and measurements of the same level stand here side by side once the first launch has been measured."
      />
    );
  }
  return <Compared taskId={taskId} levels={levels} uncorrected={comparison.data.uncorrected} />;
}

interface ComparedProps {
  taskId: number;
  levels: readonly LevelComparison[];
  /** Why calibration changed nothing; empty where it did. */
  uncorrected: string;
}

function Compared({ taskId, levels, uncorrected }: ComparedProps) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: ComparisonSearch) =>
    void navigate({ search: { ...search, ...part }, replace: true, resetScroll: false });
  const hasCalibrated = levels.some(({ calibrated }) => calibrated !== null);
  const stage = hasCalibrated ? (search.stage ?? "calibrated") : "base";
  const { metric = "ttft_ms", by = "load" } = search;

  const pairs = useMemo(
    () =>
      Object.fromEntries(METRICS.map((name) => [name, pairsOf(levels, name, stage)])) as Record<
        Metric,
        ReturnType<typeof pairsOf>
      >,
    [levels, stage],
  );
  const overall = METRICS.flatMap((name) => {
    const errors = errorsOf(pairs[name]);
    return errors ? { value: quantity(name).short, errors } : [];
  });
  const groups = useMemo(() => errorsBy(pairs[metric], by), [pairs, metric, by]);

  return (
    <Stack gap="md">
      <DisturbanceNotice />
      <Group justify="space-between" gap="sm">
        <Text size="sm" className="quiet" maw={720}>
          Each level as predicted just before its launch, against its measurement. On the diagonal a
          prediction is exact; dashed lines are 10, 15 and 20 % off, vertical ones the 80 %
          interval.
        </Text>
        {hasCalibrated && (
          <SegmentedControl
            size="xs"
            aria-label="Prediction"
            value={stage}
            onChange={(value) => change({ stage: value as typeof stage })}
            data={[
              { value: "base", label: "Predictor alone" },
              { value: "calibrated", label: "Calibrated" },
            ]}
          />
        )}
      </Group>
      {uncorrected && (
        <Text size="sm" className="text-of-users">
          {asSentence(uncorrected)}
        </Text>
      )}
      <div className={classes.plots}>
        {METRICS.map((name) => (
          <Scatter key={name} quantity={quantity(name)} pairs={pairs[name]} />
        ))}
      </div>
      <section className="card card-stack" aria-label="Errors of all levels">
        <Title order={2} fz="md">
          Errors of all levels
        </Title>
        <ErrorTable head="quantity" rows={overall} />
      </section>
      <section className="card card-stack" aria-label="Errors by dimension">
        <Group justify="space-between" gap="sm">
          <Title order={2} fz="md">
            Errors by {by}
          </Title>
          <Group gap="sm">
            <SegmentedControl
              size="xs"
              aria-label="Quantity"
              value={metric}
              onChange={(value) => change({ metric: value as Metric })}
              data={METRICS.map((name) => ({ value: name, label: quantity(name).short }))}
            />
            <SegmentedControl
              size="xs"
              aria-label="Dimension"
              value={by}
              onChange={(value) => change({ by: value as Dimension })}
              data={[
                { value: "load", label: "Load" },
                { value: "candidate", label: "Candidate" },
                { value: "source", label: "Source" },
              ]}
            />
          </Group>
        </Group>
        <div className={classes.long}>
          <ErrorTable head={by} rows={groups} />
        </div>
      </section>
      <section className="card card-stack" aria-label="Largest errors">
        <Title order={2} fz="md">
          Largest errors of {quantity(metric).short}
        </Title>
        <div className={`${classes.long} scroll-y`}>
          <WorstTable taskId={taskId} pairs={pairs[metric]} quantity={quantity(metric)} />
        </div>
      </section>
    </Stack>
  );
}

function Loading() {
  return (
    <Stack gap="md" aria-busy aria-label="Loading the comparison">
      <div className={classes.plots}>
        {METRICS.map((name) => (
          <Skeleton key={name} h={360} radius="md" />
        ))}
      </div>
      <Skeleton h={200} radius="md" />
    </Stack>
  );
}
