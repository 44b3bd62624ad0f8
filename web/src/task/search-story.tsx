import { Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { useExperiments } from "~/api/experiments";
import { type SearchStory as Story, searchQuery } from "~/api/results";
import { varying } from "~/experiments/varying";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import classes from "./search-story.module.css";
import { HYPERVOLUME, measureText, measureTitle, staircase, stepsOf, sumsOf } from "./story";
import { StoryStepView } from "./story-step";
import { useTask } from "./task-context";

const STEP_PX = 132;

/** Every launch in order: why it was chosen, and what it added. */
export function SearchStory() {
  const task = useTask();
  const { experiments, error, isPending, refetch } = useExperiments(task.id);
  const search = useQuery(searchQuery(task.id));
  const failure = error ?? search.error;
  const steps = useMemo(
    () => stepsOf(experiments, search.data?.launches ?? []),
    [experiments, search.data],
  );
  const differing = useMemo(() => varying(experiments), [experiments]);
  if (failure) {
    const retry = () => {
      void refetch();
      void search.refetch();
    };
    return <ErrorNotice error={failure} onRetry={retry} />;
  }
  if (isPending || search.data === undefined) return <Loading />;
  if (steps.length === 0) {
    return (
      <EmptyState
        title="Nothing has been launched yet"
        text="Each launch appears here with the reason why it was chosen, and what it added."
      />
    );
  }
  return (
    <>
      <Head story={search.data} />
      <Steps steps={steps} measure={search.data.measure} differing={differing} />
    </>
  );
}

function Loading() {
  return (
    <Stack gap={8} aria-busy="true" aria-label="Loading">
      <Skeleton h={120} mb={6} />
      {[1, 2, 3, 4].map((place) => (
        <Skeleton key={place} h={STEP_PX} />
      ))}
    </Stack>
  );
}

function Head({ story }: { story: Story }) {
  const task = useTask();
  const { strategy, strategy_reason: reason } = task.plan ?? { strategy: "", strategy_reason: "" };
  const { finished, failed, inVain, withoutGain } = sumsOf(story);
  const facts = [
    counted(finished, "launch", "launches"),
    failed > 0 ? `${failed} failed` : "",
    inVain > 0 ? `${inVain} without a point on the frontier` : "",
    withoutGain > 0 ? `the last ${withoutGain} added nothing` : "",
  ];
  return (
    <section className={`card ${classes.head}`} aria-label="The search as a whole">
      <Stack gap={4}>
        <Title order={2} fz="lg">
          {strategy ? `Strategy: ${strategy}` : "Search"}
        </Title>
        {reason && (
          <Text size="sm" className="text-of-users">
            {asSentence(reason)}
          </Text>
        )}
        <Text size="sm" className="quiet">
          {facts.filter(Boolean).join(" · ")}
        </Text>
        {task.stop_reason && <Text size="sm">{asSentence(task.stop_reason)}</Text>}
      </Stack>
      <Progress story={story} />
    </section>
  );
}

/** The best value after each launch, as a small line; the steps below have its figures. */
function Progress({ story }: { story: Story }) {
  const corners = staircase(story.measure, story.launches);
  // A line along the bottom says nothing that the steps do not.
  if (!corners.some(({ y }) => y > 0)) return null;
  const line = corners.map(({ x, y }) => `${(100 * x).toFixed(3)},${(100 - 100 * y).toFixed(3)}`);
  const first = line[0]?.split(",")[0] ?? "0";
  const last = story.launches.findLast((launch) => launch.value !== null)?.value ?? null;
  const ends =
    story.measure === HYPERVOLUME ? "" : `: ${measureText(story.measure, last)} after the last`;
  return (
    <figure style={{ margin: 0 }}>
      <svg
        className={classes.chart}
        viewBox="0 0 100 100"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${measureTitle(story.measure)} after each launch${ends}`}
      >
        <line className={classes.base} x1="0" x2="100" y1="100" y2="100" />
        <polygon className={classes.area} points={`${first},100 ${line.join(" ")} 100,100`} />
        <polyline className={classes.line} points={line.join(" ")} />
      </svg>
      <figcaption>
        <Text size="xs" className="quiet">
          {measureTitle(story.measure)} after each launch{ends}
        </Text>
      </figcaption>
    </figure>
  );
}

interface StepsProps {
  steps: ReturnType<typeof stepsOf>;
  measure: string;
  differing: readonly string[];
}

function Steps({ steps, measure, differing }: StepsProps) {
  const list = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop(list.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({
    count: steps.length,
    estimateSize: () => STEP_PX,
    overscan: 6,
    scrollMargin: top,
    getItemKey: (place) => steps[place]?.index ?? place,
  });
  return (
    <ol ref={list} className={classes.list} style={{ height: rows.getTotalSize() }}>
      {rows.getVirtualItems().map((row) => {
        const step = steps[row.index];
        if (step === undefined) return null;
        return (
          <li
            key={row.key}
            ref={rows.measureElement}
            data-index={row.index}
            className={classes.step}
            style={{ transform: `translateY(${row.start - top}px)` }}
            aria-posinset={row.index + 1}
            aria-setsize={steps.length}
          >
            <StoryStepView step={step} measure={measure} differing={differing} />
          </li>
        );
      })}
    </ol>
  );
}
