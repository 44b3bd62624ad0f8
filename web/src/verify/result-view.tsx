import { Alert, Button, Group, NativeSelect, Stack, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { type ComparedChoice, pairsAddress, type ResultComparison, type Sides } from "~/api/verify";
import { ErrorTable } from "~/comparison/error-tables";
import { Scatter } from "~/comparison/scatter";
import { count, counted, load, number, percent } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { asSentence } from "~/ui/sentence";
import {
  errorsOfView,
  metricTitle,
  pairsOfResults,
  RESULT_METRIC_NAMES,
  type ResultMetric,
} from "./errors-of";
import { LeftOut } from "./left-out";
import classes from "./verify.module.css";

const DRAWN = [
  ["ttft", "ttft_ms"],
  ["tpot", "tpot_ms"],
  ["tok_s", "tok_s"],
] as const;

/** What came of a comparison: errors, whether the choice is the same, each pair, what is left out. */
export function ResultView({ found, sides }: { found: ResultComparison; sides: Sides }) {
  const alike = RESULT_METRIC_NAMES.map((name) => found.like_for_like[name]?.pairs ?? 0);
  const rows = (metrics: ResultComparison["metrics"]) =>
    RESULT_METRIC_NAMES.flatMap((name) => {
      const errors = errorsOfView(metrics[name]);
      return errors === null ? [] : { value: metricTitle(name), errors };
    });
  const reasons = Object.entries(found.unlike);
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Text size="sm" role="status" className="text-of-users">
          {counted(found.total_pairs, "pair")}: {found.predicted.name} against {found.actual.name}
        </Text>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          component="a"
          href={pairsAddress(sides)}
          download="comparison.csv"
        >
          Pairs as CSV
        </Button>
      </Group>
      {found.choices.map((choice) => (
        <Choice key={choice.scenario} choice={choice} slo={found.slo} />
      ))}
      {found.choices.length === 0 && (
        <Text size="sm" className="quiet">
          Not enough is known to say whether the choice would have been the same: that takes at
          least two pairs that state throughput, GPUs and TTFT.
        </Text>
      )}
      <ErrorTable head="quantity" rows={rows(found.metrics)} />
      {reasons.length > 0 && (
        <div>
          <Text size="sm" fw={550}>
            {count(Math.max(...alike))} of {counted(found.total_pairs, "pair")} are like for like
          </Text>
          <ul className={classes.reasons}>
            {reasons.map(([why, pairs]) => (
              <li key={why}>
                {counted(pairs, "pair")}: {why}
              </li>
            ))}
          </ul>
          {Math.max(...alike) > 0 && (
            <ErrorTable head="like for like" rows={rows(found.like_for_like)} />
          )}
        </div>
      )}
      {found.pairs.length < found.total_pairs && (
        <Text size="sm" role="status">
          The plots show the first {count(found.pairs.length)} of {count(found.total_pairs)} pairs;
          the tables and the CSV hold them all.
        </Text>
      )}
      <div className={classes.plots}>
        {DRAWN.map(([metric, name]) => (
          <Scatter
            key={metric}
            quantity={quantity(name)}
            pairs={pairsOfResults(found.pairs, metric)}
          />
        ))}
      </div>
      <ErrorsByDimension found={found} />
      <LeftOut title="Predicted" side={found.predicted} />
      <LeftOut title="Measured" side={found.actual} />
    </Stack>
  );
}

function Choice({ choice, slo }: { choice: ComparedChoice; slo: Record<string, number> }) {
  const { same, regret, chosen, best } = choice;
  const limits = Object.entries(slo).map(
    ([name, limit]) => `${quantity(name).short} ≤ ${quantity(name).format(limit)}`,
  );
  const place = ({ layout, load: level }: ComparedChoice["chosen"]) =>
    `${layout} at ${load(level)}`;
  const missesSlo = choice.meets_slo === false;
  return (
    <Alert
      color={same && !missesSlo ? "green" : "orange"}
      role="status"
      title={same ? "The choice would have been the same" : "The choice would have been different"}
    >
      <Text size="sm" className="text-of-users">
        {choice.scenario}
        {limits.length > 0 && ` with ${limits.join(" and ")}`}: the prediction chooses{" "}
        {place(chosen)}
        {same ? ", and so does the measurement" : `, the measurement ${place(best)}`}.
        {regret !== null && !same && ` That costs ${percent(regret / 100)}.`}
        {missesSlo && " As measured, the chosen point misses the SLO."}
      </Text>
      <Text size="xs" className="quiet">
        {counted(choice.points, "point")}; {choice.predicted_frontier} on the predicted frontier,{" "}
        {choice.actual_frontier} on the measured one, {choice.common} on both; hypervolume ratio{" "}
        {number(choice.hypervolume_ratio)}.
      </Text>
    </Alert>
  );
}

function ErrorsByDimension({ found }: { found: ResultComparison }) {
  const dimensions = Object.keys(found.by);
  const [by, setBy] = useState(dimensions[0] ?? "");
  const [metric, setMetric] = useState<ResultMetric>("ttft");
  const shown = dimensions.includes(by) ? by : dimensions[0];
  if (shown === undefined) return null;
  const rows = Object.entries(found.by[shown] ?? {}).flatMap(([value, metrics]) => {
    const errors = errorsOfView(metrics[metric]);
    return errors === null ? [] : { value, errors };
  });
  return (
    <section aria-label="Errors by dimension">
      <Group justify="space-between" gap="sm">
        <Title order={3} fz="sm">
          {metricTitle(metric)} by {shown}
        </Title>
        <Group gap="xs">
          <NativeSelect
            size="xs"
            aria-label="Quantity of the errors"
            value={metric}
            onChange={(event) => setMetric(event.currentTarget.value as ResultMetric)}
            data={RESULT_METRIC_NAMES.map((name) => ({ value: name, label: metricTitle(name) }))}
          />
          <NativeSelect
            size="xs"
            aria-label="Dimension of the errors"
            value={shown}
            onChange={(event) => setBy(event.currentTarget.value)}
            data={dimensions.map((name) => ({ value: name, label: `by ${name}` }))}
          />
        </Group>
      </Group>
      <div className={classes.long}>
        <ErrorTable head={shown} rows={rows} />
      </div>
      {rows.length === 0 && (
        <Text size="xs" className="quiet">
          {asSentence(`no pair states ${metricTitle(metric)} on both sides`)}
        </Text>
      )}
    </section>
  );
}
