import { Alert, Anchor, Skeleton, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { disturbanceQuery } from "~/api/results";
import { type Why, whyQuery } from "~/api/why";
import { furtherRelaxations, type Relaxation } from "~/explorer/why-not";
import { EmptyState } from "~/ui/empty-state";
import { count, counted, number } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { isMostlyDisturbed } from "./disturbance";

const MOST_STEPS = 3;
const MOST_RULES = 3;

/** Why no measured point meets the SLO: how far the nearest is, and what relaxing one limit gains. */
export function NothingMeets({ taskId }: { taskId: number }) {
  const disturbance = useQuery(disturbanceQuery(taskId)).data;
  const why = useQuery(whyQuery(taskId));
  const isDoubtful = disturbance ? isMostlyDisturbed(disturbance) : false;
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={isDoubtful ? "Nothing met the SLO in these measurements" : "Nothing meets the SLO"}
    >
      <Stack gap={6}>
        {isDoubtful && (
          <span>
            Most levels were disturbed, which may be the only reason: measure again on an idle
            machine first.
          </span>
        )}
        {why.isPending && <Skeleton h={36} aria-label="Loading the reasons" />}
        {why.isError && <span>Relax it, widen the search, or put less load on each engine.</span>}
        {why.data && <Short why={why.data} taskId={taskId} />}
        <span>Below is the point that comes nearest.</span>
      </Stack>
    </Alert>
  );
}

function Short({ why, taskId }: { why: Why; taskId: number }) {
  const effects = why.measured ?? why.predicted;
  const steps = effects ? furtherRelaxations(effects).slice(0, MOST_STEPS) : [];
  return (
    <>
      <span>{why.lead}</span>
      {steps.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 18 }}>
          {steps.map((step) => (
            <li key={step.key}>{inWords(step, why.unit)}</li>
          ))}
        </ul>
      )}
      <Anchor
        size="sm"
        underline="always"
        c="inherit"
        renderRoot={(props) => (
          <Link to="/tasks/$taskId/explorer" params={{ taskId }} search={{}} {...props} />
        )}
      >
        All reasons, and what each change gains, in the Explorer
      </Anchor>
    </>
  );
}

const inWords = ({ title, points, candidates, best }: Relaxation, unit: string): string =>
  `${title}: ${counted(points, "point")} of ${counted(candidates, "candidate")}${
    best === null ? "" : `, the best ${number(best.objective)} ${unit}`
  }`;

/** A task without a launch: the rules that exclude every combination, where that is the reason. */
export function AllExcluded({ taskId }: { taskId: number }) {
  const why = useQuery(whyQuery(taskId));
  if (why.isPending) return <Skeleton h={90} aria-label="Loading the reasons" />;
  const exclusions = why.data?.exclusions ?? null;
  if (why.data === undefined || exclusions === null || exclusions.candidates > 0) {
    return (
      <EmptyState
        isSmall
        title="No point to recommend"
        text="Nothing was launched. The log tells why."
      />
    );
  }
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title="Every combination is excluded"
    >
      <Stack gap={6}>
        <span>{asSentence(why.data.lead)}</span>
        {exclusions.rules.length > 0 && (
          <>
            <Text size="sm">A candidate needs that</Text>
            <ul style={{ margin: 0, paddingLeft: 18 }}>
              {exclusions.rules.slice(0, MOST_RULES).map((rule) => (
                <li key={rule.name}>
                  {rule.name}: {count(rule.breaking)} of {count(exclusions.combinations)} do not
                  {rule.ways[0] && `; ${rule.ways[0].text}`}
                </li>
              ))}
            </ul>
          </>
        )}
      </Stack>
    </Alert>
  );
}
