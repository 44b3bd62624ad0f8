import { Group, NativeSelect, SegmentedControl, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Accuracy, accuracyQuery } from "~/api/verify";
import { ErrorTable } from "~/comparison/error-tables";
import type { Stage } from "~/comparison/errors";
import { METRICS, type Metric } from "~/comparison/metrics";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { StaleBox } from "~/ui/stale-box";
import { learningSteps, rowsOf } from "./errors-of";
import { LearningChart } from "./learning-chart";
import { leftOut } from "./levels-left-out";
import {
  type AccuracyDimension,
  accuracyFilter,
  DIMENSIONS,
  type VerifySearch,
} from "./search-params";
import classes from "./verify.module.css";

interface AccuracyCardProps {
  search: VerifySearch;
  onChange: (part: VerifySearch) => void;
}

const PLACES = ["engine", "system", "model"] as const;

/** How far predictions were from what every stored task measured. */
export function AccuracyCard({ search, onChange }: AccuracyCardProps) {
  const accuracy = useQuery(accuracyQuery(accuracyFilter(search)));
  return (
    <section className="card card-stack" aria-labelledby="accuracy">
      <Group justify="space-between" gap="sm">
        <div>
          <Title order={2} fz="md" id="accuracy">
            Accuracy over all tasks
          </Title>
          <Text size="sm" className="quiet">
            What was predicted for each load level before its launch, compared with what was
            measured.
          </Text>
        </div>
        {accuracy.data && (
          <Group gap="xs">
            {PLACES.map((place) => (
              <NativeSelect
                key={place}
                size="xs"
                aria-label={`Accuracy on ${place}`}
                value={search[place] ?? ""}
                onChange={(event) => onChange({ [place]: event.currentTarget.value || undefined })}
                data={placeChoices(place, search[place], accuracy.data)}
              />
            ))}
          </Group>
        )}
      </Group>
      {accuracy.isPending && <Skeleton height={320} aria-busy />}
      {accuracy.isError && !accuracy.data && (
        <ErrorNotice error={accuracy.error} onRetry={() => void accuracy.refetch()} />
      )}
      {accuracy.data && accuracy.data.overall.levels === 0 && (
        <EmptyState
          isSmall
          title="No predictions to compare yet"
          text={
            search.engine || search.system || search.model
              ? "No matching task has a level with both a prediction and a measurement."
              : leftOut(accuracy.data)
                ? `${leftOut(accuracy.data)}.`
                : "Once a task with a predictor has measured its first launch, its errors appear here."
          }
        />
      )}
      {accuracy.data && accuracy.data.overall.levels > 0 && (
        <StaleBox isStale={accuracy.isPlaceholderData}>
          <Errors accuracy={accuracy.data} search={search} onChange={onChange} />
        </StaleBox>
      )}
    </section>
  );
}

function placeChoices(
  place: (typeof PLACES)[number],
  chosen: string | undefined,
  { choices }: Accuracy,
) {
  const known = choices[place] ?? [];
  const all = chosen && !known.includes(chosen) ? [chosen, ...known] : known;
  return [{ value: "", label: `Every ${place}` }, ...all];
}

function Errors({ accuracy, search, onChange }: AccuracyCardProps & { accuracy: Accuracy }) {
  const { overall, by, learning } = accuracy;
  const hasCalibrated = overall.stages.calibrated !== undefined;
  const stage: Stage = hasCalibrated ? (search.stage ?? "calibrated") : "base";
  const { metric = "ttft_ms", by: dimension = "engine" } = search;
  const all = METRICS.flatMap((name) => rowsOf([overall], stage, name, () => quantity(name).short));
  const groups = rowsOf(by[dimension] ?? [], stage, metric);
  const steps = learningSteps(learning, metric);
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <Text size="sm" role="status">
          {counted(overall.levels, "level")} of {counted(overall.tasks, "task")}
          {!accuracy.is_whole && ", the newest only: older ones are left out"}
          {leftOut(accuracy) && `; ${leftOut(accuracy)}`}
        </Text>
        {hasCalibrated && (
          <SegmentedControl
            size="xs"
            aria-label="Prediction"
            value={stage}
            onChange={(value) => onChange({ stage: value as Stage })}
            data={[
              { value: "base", label: "Predictor alone" },
              { value: "calibrated", label: "Calibrated" },
            ]}
          />
        )}
      </Group>
      <ErrorTable head="quantity" rows={all} />
      <Group justify="space-between" gap="sm">
        <Title order={3} fz="sm">
          {quantity(metric).short} by {dimension}
        </Title>
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label="Quantity"
            value={metric}
            onChange={(value) => onChange({ metric: value as Metric })}
            data={METRICS.map((name) => ({ value: name, label: quantity(name).short }))}
          />
          <NativeSelect
            size="xs"
            aria-label="Errors by"
            value={dimension}
            onChange={(event) => onChange({ by: event.currentTarget.value as AccuracyDimension })}
            data={DIMENSIONS.map((name) => ({ value: name, label: `by ${name}` }))}
          />
        </Group>
      </Group>
      <div className={classes.long}>
        <ErrorTable head={dimension} rows={groups} />
      </div>
      <Title order={3} fz="sm">
        Learning curve of {quantity(metric).short}
      </Title>
      <LearningChart steps={steps} what={quantity(metric).short} />
      <details>
        <summary className={classes.summary}>Show the curve as a table</summary>
        <ErrorTable
          head="earlier launches"
          rows={rowsOf(learning, stage, metric, (row) => row.value)}
        />
      </details>
    </Stack>
  );
}
