import { Anchor, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  type Recommended,
  type RecommendedPoint,
  recommendedPointQuery,
  recommendedQuery,
} from "~/api/results";
import type { Task } from "~/api/tasks";
import { CommandBlock } from "~/ui/command-block";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { load } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { asSentence } from "~/ui/sentence";
import { FigureTile } from "./figure-tile";
import classes from "./overview.module.css";
import { SettingsLine } from "./settings-line";
import { interval, limitsOf } from "./slo";
import { useTask } from "./task-context";
import { AllExcluded, NothingMeets } from "./why-not-alerts";

const SHOWN = [
  "tok_s_per_gpu",
  "tok_s_per_user",
  "ttft_ms",
  "tpot_ms",
  "e2e_p90_ms",
  "requests_per_s",
  "tok_s",
  "usd_per_million_tokens",
  "usd_per_million_input_tokens",
  "usd_per_million_total_tokens",
  "joules_per_output_token",
] as const;

/** Shown where the SLO limits them. */
const PERCENTILES = [
  "ttft_p90_ms",
  "ttft_p99_ms",
  "tpot_p90_ms",
  "tpot_p99_ms",
  "e2e_p99_ms",
] as const;

/** The answer of a task: the point to serve with, and its command. */
export function RecommendedCard() {
  const task = useTask();
  const found = useQuery(recommendedQuery(task.id));
  const intervals = useQuery({ ...recommendedPointQuery(task.id), enabled: Boolean(found.data) });
  return (
    <section className="card card-body" aria-labelledby="recommended">
      <Title order={2} fz="lg" id="recommended" mb="sm">
        Recommended point
      </Title>
      {found.isPending && <Loading />}
      {found.isError && <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />}
      {found.data === null && <NothingYet task={task} />}
      {found.data && <Answer task={task} point={found.data} details={intervals.data ?? null} />}
    </section>
  );
}

function Loading() {
  return (
    <Stack gap="sm" aria-busy="true" aria-label="Loading">
      <Skeleton h={18} w="70%" />
      <Skeleton h={132} />
      <Skeleton h={120} />
    </Stack>
  );
}

const WHY_NOTHING: Partial<Record<Task["status"], string>> = {
  pending: "The task has not been started. Start it, and its first results appear here.",
  queued: "The task waits for a worker; its first results appear here.",
  running: "The first level that is measured appears here.",
  paused: "It goes on to measure when it is resumed.",
};

function NothingYet({ task }: { task: Task }) {
  const toCome = WHY_NOTHING[task.status];
  if (toCome !== undefined)
    return <EmptyState title="Nothing is measured yet" text={toCome} isSmall />;
  // A task without a launch has no candidate, or could not be prepared.
  if (task.experiments.total === 0) return <AllExcluded taskId={task.id} />;
  return (
    <EmptyState
      isSmall
      title="No point to recommend"
      text="No launch measured a level that counts. The failures above and the log tell why."
    />
  );
}

/** A probability for readers; none is certain. */
function sureness(probability: number): string {
  return probability > 0.995 ? "more than 99 %" : `${Math.round(100 * probability)} %`;
}

interface AnswerProps {
  task: Task;
  point: Recommended;
  details: RecommendedPoint | null;
}

function Answer({ task, point, details }: AnswerProps) {
  const limits = limitsOf(task.config);
  const shown = [...SHOWN, ...PERCENTILES.filter((name) => name in limits)];
  const index = details?.experiment_index ?? null;
  return (
    <Stack gap="sm">
      {!point.meets_slo && <NothingMeets taskId={task.id} />}
      <Text size="sm" className="text-of-users">
        {asSentence(point.reason)}
      </Text>
      {typeof point.probability_on_frontier === "number" && (
        <Text size="sm" c="dimmed">
          With {sureness(point.probability_on_frontier)}, no other candidate is better in every
          goal.
        </Text>
      )}
      <SettingsLine
        settings={point.settings}
        axes={Object.keys(task.plan?.axes ?? {})}
        load={load(point.load)}
      />
      <dl className={classes.figures}>
        {shown
          .filter((name) => point[name] !== null && point[name] !== undefined)
          .map((name) => (
            <FigureTile
              key={name}
              name={name}
              value={point[name] ?? null}
              range={interval(quantity(name), details?.figures[name])}
              limit={limits[name]}
              verdict={point.verdicts?.[name]}
            />
          ))}
      </dl>
      {details?.note && (
        <Group gap={6} wrap="nowrap" align="flex-start">
          <IconInfoCircle size={15} aria-hidden style={{ flex: "none", marginTop: 2 }} />
          <Text size="sm">{asSentence(details.note)}</Text>
        </Group>
      )}
      <CommandBlock
        command={point.command}
        title="Command that serves it"
        unserved={point.unserved}
        sampleRequest={point.sample_request}
      />
      {task.config.deployment_mode === "docker" && (
        <Text size="sm">
          It was measured in a container, which the script of <strong>Deploy…</strong>, format
          Docker command, starts at the address of the request.
        </Text>
      )}
      <Group gap="md">
        {index !== null && (
          <Anchor
            size="sm"
            renderRoot={(props) => (
              <Link
                {...props}
                to="/tasks/$taskId/experiments/$index"
                params={{ taskId: task.id, index }}
              />
            )}
          >
            Experiment {index}
          </Anchor>
        )}
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link
              {...props}
              to="/tasks/$taskId/explorer"
              params={{ taskId: task.id }}
              search={{}}
            />
          )}
        >
          Compare it with the others
        </Anchor>
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link
              {...props}
              to="/tasks/$taskId/performance"
              params={{ taskId: task.id }}
              search={{}}
            />
          )}
        >
          Where its time goes
        </Anchor>
      </Group>
    </Stack>
  );
}
