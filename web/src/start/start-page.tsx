import { Anchor, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconChartDots, IconDatabaseImport, IconPlayerPlay } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { devicesQuery, enginesQuery, modelAtHand, modelsQuery } from "~/api/catalog";
import { waitingQuery } from "~/api/migrations";
import { type TaskItem, tasksQuery } from "~/api/tasks";
import { BestResult } from "~/tasks/task-facts";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { moment } from "~/ui/format";
import { StatusBadge } from "~/ui/status-badge";
import { TaskLink } from "~/ui/task-link";
import { devicesInWords, enginesFound, waitingInWords } from "./found";
import classes from "./start.module.css";

const RecommendCard = lazy(() => import("./recommend-card"));

const NEWEST = 5;
const ICON = 16;

/** For who opens it first: what is here, the ways to begin, and what came out last. */
export function StartPage() {
  return (
    <Stack gap="md" className="page page-narrow">
      <div>
        <Title order={1} fz="xl">
          Find how to serve a model
        </Title>
        <Text size="sm" className="quiet">
          A task starts an engine with different settings, measures each under load, and ends with
          the best operating points and the command that serves them.
        </Text>
      </div>
      <Found />
      <Ways />
      <Suspense fallback={<Skeleton height={210} aria-busy />}>
        <RecommendCard />
      </Suspense>
      <Newest />
    </Stack>
  );
}

function Found() {
  const devices = useQuery(devicesQuery);
  const engines = useQuery(enginesQuery);
  const models = useQuery(modelsQuery);
  const asked = [devices, engines, models];
  const failed = asked.find(({ isError, data }) => isError && data === undefined);
  const here = devices.data && engines.data && models.data;
  const model = models.data ? modelAtHand(models.data) : null;
  return (
    <section className="card card-stack" aria-labelledby="found">
      <Title order={2} fz="md" id="found">
        Found here
      </Title>
      {failed && (
        <ErrorNotice
          error={failed.error}
          onRetry={() => {
            for (const one of asked) void one.refetch();
          }}
        />
      )}
      {!here && !failed && <Skeleton height={78} aria-busy />}
      {here && (
        <dl className={classes.found}>
          <dt>Devices</dt>
          <dd>{devicesInWords(devices.data).join("; ") || "none"}</dd>
          <dt>Engines</dt>
          <dd>
            {enginesFound(engines.data)
              .map(({ title, version }) => (version ? `${title} ${version}` : title))
              .join(", ") || "none is installed here; a worker on another machine may have one"}
          </dd>
          <dt>Model at hand</dt>
          <dd>
            {model
              ? `${model.id}: its file is here, nothing has to be loaded`
              : "none: a task names a folder, or a model of the hub"}
          </dd>
        </dl>
      )}
    </section>
  );
}

function Ways() {
  const waiting = useQuery(waitingQuery).data?.total ?? 0;
  return (
    <div className={classes.ways}>
      <section className={`card card-stack ${classes.way}`} aria-label="Tune here">
        <Title order={2} fz="md">
          Tune a model here
        </Title>
        <Text size="sm" className="quiet">
          Five decisions, each with a suggestion based on what was found. Accepting every suggestion
          takes two clicks.
        </Text>
        <Button
          component={Link}
          to="/tasks/new"
          leftSection={<IconPlayerPlay size={ICON} aria-hidden />}
        >
          Create a task
        </Button>
      </section>
      <section className={`card card-stack ${classes.way}`} aria-label="Predict">
        <Title order={2} fz="md">
          Predict for other GPUs
        </Title>
        <Text size="sm" className="quiet">
          Choose a model and GPUs from the catalog; the predicted frontier, time and cost appear
          beside the form as you choose. Nothing is launched.
        </Text>
        <Button
          component={Link}
          to="/tasks/new"
          variant="default"
          leftSection={<IconChartDots size={ICON} aria-hidden />}
        >
          See a prediction
        </Button>
      </section>
      <section className={`card card-stack ${classes.way}`} aria-label="Version 1">
        <Title order={2} fz="md">
          Bring the data of version 1
        </Title>
        <Text size="sm" className="quiet">
          {waiting > 0 ? waitingInWords(waiting) : "Its database or one of its task files."} You see
          what each becomes before anything is written, and can take it back.
        </Text>
        <Button
          component={Link}
          to="/migration"
          variant="default"
          leftSection={<IconDatabaseImport size={ICON} aria-hidden />}
        >
          Preview what it becomes
        </Button>
      </section>
    </div>
  );
}

function Newest() {
  const tasks = useInfiniteQuery(tasksQuery({}));
  const rows = tasks.data?.pages[0]?.items.slice(0, NEWEST) ?? [];
  return (
    <section className="card card-stack" aria-labelledby="newest">
      <Group justify="space-between" gap="sm">
        <Title order={2} fz="md" id="newest">
          Newest results
        </Title>
        {rows.length > 0 && (
          <Anchor
            size="sm"
            underline="always"
            renderRoot={(props) => <Link to="/tasks" search={{}} {...props} />}
          >
            All tasks
          </Anchor>
        )}
      </Group>
      {tasks.isPending && <Skeleton height={120} aria-busy />}
      {tasks.isError && !tasks.data && (
        <ErrorNotice error={tasks.error} onRetry={() => void tasks.refetch()} />
      )}
      {tasks.data && rows.length === 0 && (
        <EmptyState
          isSmall
          title="No tasks yet"
          text="Your first task's best point appears here as soon as it is measured."
        />
      )}
      {rows.length > 0 && (
        <ul className={classes.results}>
          {rows.map((task) => (
            <Result key={task.id} task={task} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Result({ task }: { task: TaskItem }) {
  return (
    <li>
      <div className={classes.name}>
        <TaskLink taskId={task.id} className="text-of-users">
          {task.name}
        </TaskLink>
        <Text size="xs" className="quiet text-of-users">
          {task.model} · {moment(task.ended_at ?? task.created_at)}
        </Text>
      </div>
      <StatusBadge status={task.status} />
      <BestResult best={task.best} />
    </li>
  );
}
