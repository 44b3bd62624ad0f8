import { Anchor, Skeleton, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { parameterFaults } from "~/api/problems";
import { type Sizing, sizingQuery } from "~/api/sizing";
import { DisturbanceNotice } from "~/task/disturbance-notice";
import { limitsOf } from "~/task/slo";
import { useTask } from "~/task/task-context";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { load, milliseconds, percent } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { asSentence } from "~/ui/sentence";
import { StaleBox } from "~/ui/stale-box";
import { DeploymentTable } from "./deployment-table";
import { GpuTable } from "./gpu-table";
import { GrowthCard } from "./growth-card";
import { requestOf, type SizingSearch } from "./search-params";
import classes from "./sizing.module.css";
import { SizingForm } from "./sizing-form";
import { SmallestCard } from "./smallest-card";

const route = getRouteApi("/tasks/$taskId/sizing");
const TYPING_MS = 300;

/** How many replicas and GPUs hold a traffic within the limits, and what they cost. */
export function SizingPage() {
  const { taskId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [settled] = useDebouncedValue(search, TYPING_MS);
  const asked = requestOf(settled);
  const found = useQuery({
    ...sizingQuery(taskId, asked),
    // The answer before stands there meanwhile, dimmed; of another task nothing does.
    placeholderData: (before: Sizing | undefined) =>
      asked !== null && before?.task === String(taskId) ? before : undefined,
  });
  const { faultAt, isAtFields } = parameterFaults(found.error);
  const change = (part: SizingSearch) =>
    void navigate({
      search: (before: SizingSearch) => ({ ...before, ...part }),
      replace: true,
      resetScroll: false,
    });
  return (
    <Stack gap="md">
      <DisturbanceNotice />
      <SizingForm
        search={search}
        onChange={change}
        own={limitsOf(useTask().config)}
        faultAt={faultAt}
      />
      {asked === null && (
        <EmptyState
          title="How many replicas?"
          text="Say how much traffic comes in, in requests per second or users at once. The answer has replicas, GPUs and costs for each candidate that holds it within the limits."
        />
      )}
      {asked !== null && found.isPending && <Loading />}
      {found.isError && !isAtFields && (
        <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />
      )}
      {asked !== null && found.data && (
        <StaleBox isStale={found.isPlaceholderData}>
          <Answer found={found.data} taskId={taskId} />
        </StaleBox>
      )}
    </Stack>
  );
}

function Answer({ found, taskId }: { found: Sizing; taskId: number }) {
  return (
    <Stack gap="md">
      {found.deployments.length > 0 ? (
        <>
          <SmallestCard found={found} />
          <DeploymentTable found={found} />
        </>
      ) : (
        <NothingHolds found={found} taskId={taskId} />
      )}
      <GpuTable found={found} />
      {found.growth.length > 0 && <GrowthCard found={found} />}
      {found.notes.length > 0 && (
        <ul className={classes.notes}>
          {found.notes.map((note) => (
            <li key={note} className="text-of-users">
              {asSentence(note)}
            </li>
          ))}
        </ul>
      )}
    </Stack>
  );
}

/** Why nothing holds any load: the candidate that misses least, and the limit that it misses. */
function NothingHolds({ found, taskId }: { found: Sizing; taskId: number }) {
  const { nearest, candidates } = found;
  if (nearest === null) {
    return (
      <EmptyState
        title={candidates === 0 ? "Nothing is known yet" : "Nothing holds this traffic"}
        text={
          found.source === "measured"
            ? "No launch of this task has an operating point yet. Predictions may have an answer: choose them above."
            : "Nothing is predicted for this task."
        }
      />
    );
  }
  const { short } = quantity(nearest.limit);
  const by = nearest.over === null ? "" : `, ${percent(nearest.over)} over it`;
  return (
    <section className="card card-stack" aria-labelledby="nothing">
      <Text component="h2" fw={650} id="nothing" m={0}>
        Nothing holds it, however many replicas
      </Text>
      <Text size="sm">
        Already at {load(nearest.load)} the nearest of {candidates} candidates,{" "}
        {nearest.candidate.slice(0, 7)} on {nearest.gpu}, has {short}{" "}
        {milliseconds(nearest.value_ms)}; the limit is {milliseconds(nearest.limit_ms)}
        {by}. More replicas do not help: each has to answer one request within the limits.
      </Text>
      <Anchor
        size="sm"
        underline="always"
        renderRoot={(props) => (
          <Link to="/tasks/$taskId/explorer" params={{ taskId }} search={{}} {...props} />
        )}
      >
        What relaxing a limit gains
      </Anchor>
    </section>
  );
}

function Loading() {
  return (
    <Stack gap="md" aria-busy="true" aria-label="Loading">
      <Skeleton h={220} radius="md" />
      <Skeleton h={260} radius="md" />
    </Stack>
  );
}
