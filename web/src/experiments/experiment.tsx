import { Anchor, Box, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ExperimentDetail, experimentQuery, measurementsQuery } from "~/api/experiments";
import { engineLogPath } from "~/api/logs";
import { LogView } from "~/logs/log-view";
import { useEngineLog } from "~/logs/use-engine-log";
import { useTask } from "~/task/task-context";
import { CommandBlock } from "~/ui/command-block";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { duration, fieldName, moment, setting, unbroken } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import classes from "./experiment.module.css";
import { FailureCard } from "./failure-card";
import { LevelTable } from "./level-table";
import { ExperimentStatusBadge } from "./status-badge";

const route = getRouteApi("/tasks/$taskId/experiments/$index");
/** Of a line of a log, and of what stands around all of them. */
const LOG_LINE_PX = 20;
const LOG_ROOM_PX = 20;

/** One launch: what it set, what it measured, and its log. */
export function ExperimentDetails() {
  const { taskId, index } = route.useParams();
  const { data, error, isPending, refetch } = useQuery(experimentQuery(taskId, index));
  if (isPending) return <Skeleton h={420} aria-busy="true" aria-label="Loading" />;
  if (data === undefined) return <ErrorNotice error={error} onRetry={() => void refetch()} />;
  return (
    <Stack gap="md">
      <Head experiment={data} />
      {data.failure && <FailureCard failure={data.failure} />}
      <div className={classes.two}>
        <Settings experiment={data} />
        <CommandBlock
          command={data.command}
          unserved={data.unserved}
          sampleRequest={data.sample_request}
        />
      </div>
      <Levels experiment={data} />
      <Log experiment={data} />
    </Stack>
  );
}

function Head({ experiment }: { experiment: ExperimentDetail }) {
  const task = useTask();
  const { index, status, phase, candidate_id: candidate } = experiment;
  const facts = [
    phase,
    candidate,
    `launched ${moment(experiment.started_at)}`,
    ...(experiment.failure === null
      ? [
          experiment.startup_s === null
            ? ""
            : `engine ready after ${duration(experiment.startup_s)}`,
          experiment.measure_s === null ? "" : `measured for ${duration(experiment.measure_s)}`,
        ]
      : []),
    experiment.lost_s > 0 ? `lost ${duration(experiment.lost_s)} with its machines` : "",
  ];
  return (
    <section className="card card-body" aria-labelledby="experiment">
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <Title order={2} fz="lg" id="experiment">
            Experiment {index}
          </Title>
          <ExperimentStatusBadge status={status} />
        </Group>
        <Group gap="sm" ml="auto">
          {index > 1 && <Neighbour index={index - 1} label="Previous" />}
          {index < task.experiments.total && <Neighbour index={index + 1} label="Next" />}
        </Group>
      </Group>
      <Text size="xs" className="quiet text-of-users" mt={4}>
        {experiment.is_on_actual_frontier && (
          <Text span inherit c="var(--mantine-color-text)">
            On the frontier ·{" "}
          </Text>
        )}
        {facts.filter(Boolean).join(" · ")}
      </Text>
      {experiment.selection_reason && (
        <Text size="sm" className="text-of-users" mt={6}>
          Why: {unbroken(experiment.selection_reason)}
        </Text>
      )}
      {experiment.cut_short && (
        <Text size="sm" className="text-of-users" mt={4}>
          Cut short {unbroken(experiment.cut_short)}
        </Text>
      )}
      {experiment.unpredicted && (
        <Text size="sm" className="text-of-users" mt={4}>
          Not predicted. {asSentence(experiment.unpredicted)}
        </Text>
      )}
    </section>
  );
}

function Neighbour({ index, label }: { index: number; label: "Previous" | "Next" }) {
  const { taskId } = route.useParams();
  return (
    <Anchor
      size="sm"
      renderRoot={(props) => (
        <Link {...props} to="/tasks/$taskId/experiments/$index" params={{ taskId, index }} />
      )}
    >
      <Group gap={2} wrap="nowrap">
        {label === "Previous" && <IconChevronLeft size={14} aria-hidden />}
        {label}
        {label === "Next" && <IconChevronRight size={14} aria-hidden />}
      </Group>
    </Anchor>
  );
}

function Settings({ experiment }: { experiment: ExperimentDetail }) {
  const task = useTask();
  const axes = new Set(Object.keys(task.plan?.axes ?? {}));
  const all = Object.entries(experiment.settings);
  const rows = [
    ...all.filter(([path]) => axes.has(path)),
    ...all.filter(([path]) => !axes.has(path)),
  ];
  return (
    <section className="card card-body" aria-labelledby="settings">
      <Title order={3} fz="md" id="settings" mb={6}>
        Settings
      </Title>
      <dl className={classes.settings}>
        {rows.map(([path, value]) => (
          <Box key={path} display="contents">
            <dt title={path}>{fieldName(path)}</dt>
            <dd className={axes.has(path) ? classes.varies : undefined}>{setting(value)}</dd>
          </Box>
        ))}
      </dl>
      {axes.size > 0 && (
        <Text size="xs" className="quiet" mt={8}>
          What the task searches comes first.
        </Text>
      )}
    </section>
  );
}

function Levels({ experiment }: { experiment: ExperimentDetail }) {
  const { taskId } = route.useParams();
  const { data, error, refetch } = useQuery(measurementsQuery(taskId, experiment.index));
  return (
    <section className="card card-body" aria-labelledby="levels">
      <Group justify="space-between" gap="sm" mb={6}>
        <Title order={3} fz="md" id="levels">
          Load levels
        </Title>
        {experiment.status === "completed" && (
          <Anchor
            size="sm"
            renderRoot={(props) => (
              <Link
                {...props}
                to="/tasks/$taskId/performance"
                params={{ taskId }}
                search={{ candidate: experiment.candidate_id }}
              />
            )}
          >
            Where its time goes
          </Anchor>
        )}
      </Group>
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && !error && <Skeleton h={160} />}
      {data && <LevelTable measured={data} predicted={experiment.predictions} />}
    </section>
  );
}

function Log({ experiment }: { experiment: ExperimentDetail }) {
  const { taskId } = route.useParams();
  const { index } = experiment;
  const { lines, dropped, problem } = useEngineLog(engineLogPath(taskId, index));
  return (
    <Stack gap="xs">
      <Title order={3} fz="md">
        Log of the engine
      </Title>
      {problem !== null && <ErrorNotice error={problem} />}
      <LogView
        key={index}
        lines={lines}
        dropped={dropped}
        label={`Log of experiment ${index}`}
        fileName={`task-${taskId}-experiment-${index}.log`}
        height={`${Math.min(420, LOG_ROOM_PX + LOG_LINE_PX * Math.max(lines.length, 6))}px`}
        initialQuery=""
        onQuery={() => {}}
        empty={<EmptyState title="No lines" text="A replay launches nothing, and writes no log." />}
      />
    </Stack>
  );
}
