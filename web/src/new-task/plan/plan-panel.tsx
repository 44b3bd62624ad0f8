import { Alert, Card, List, Progress, Skeleton, Text } from "@mantine/core";
import type { Plan } from "~/api/plans";
import { ErrorNotice } from "~/ui/error-notice";
import { count, counted, device, duration, fieldName, load, setting, usd } from "~/ui/format";
import { quantity, withUnit } from "~/ui/quantities";
import { asSentence } from "~/ui/sentence";
import { WithCode } from "~/ui/with-code";
import type { Checks } from "../use-checks";
import { FrontierSketch } from "./frontier-sketch";
import classes from "./plan.module.css";

const MOST_REASONS = 6;
const FIGURES = ["tok_s", "ttft_ms", "tpot_ms"] as const;

interface PlanPanelProps {
  checks: Checks;
  /** Why the document is behind what stands in the form; null where it is not. */
  behind: string | null;
  problem: string | null;
}

/** What the document would do: it follows every change, and keeps the last answer meanwhile. */
export function PlanPanel({ checks, behind, problem }: PlanPanelProps) {
  const { plan, progress, isPending } = checks;
  const isOutdated = behind !== null || checks.faults.length > 0;
  return (
    <Card
      className={`card ${classes.panel}`}
      component="section"
      aria-label="Plan"
      aria-busy={isPending}
    >
      {isPending && plan !== null && (
        <Progress
          className={classes.busy}
          size={2}
          radius={0}
          animated
          value={progress && progress.total > 0 ? (100 * progress.asked) / progress.total : 100}
          aria-label="Planning"
        />
      )}
      <div className={classes.head}>
        <h2 className={classes.title}>What it will do</h2>
        <Text size="xs" className="quiet" role="status">
          {statusOf(checks, behind !== null)}
        </Text>
      </div>
      {problem && (
        <Alert color="yellow" py={6}>
          <span className="text-of-users">{problem}</span>
        </Alert>
      )}
      {checks.faults.length > 0 && <Faults checks={checks} />}
      {checks.faults.length === 0 && checks.problem !== null && (
        <ErrorNotice error={checks.problem} onRetry={checks.retry} />
      )}
      {plan && isOutdated && (
        <Text size="sm" role="status">
          This is the plan of the last valid input{behind && `: ${behind}`}.
        </Text>
      )}
      {plan ? (
        <div className={`${classes.summary} ${isPending || isOutdated ? classes.stale : ""}`}>
          <PlanSummary plan={plan} />
        </div>
      ) : (
        checks.faults.length === 0 && checks.problem === null && <PlanSkeleton />
      )}
    </Card>
  );
}

function statusOf({ isPending, progress, plan, faults }: Checks, isBehind: boolean): string {
  if (isPending && progress)
    return `Predicting ${count(progress.asked)} of ${count(progress.total)}`;
  if (isPending) return "Planning";
  if (faults.length > 0) return counted(faults.length, "fault");
  if (!plan) return "";
  return isBehind ? "Not up to date" : "Up to date";
}

function Faults({ checks }: { checks: Checks }) {
  return (
    <Alert color="red" variant="light" title="It cannot run as it stands" role="alert">
      <List size="sm">
        {checks.faults.map((fault) => (
          <List.Item key={`${fault.path}:${fault.message}`} className="text-of-users">
            {fault.path && <strong>{fault.path}: </strong>}
            {fault.message}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

const WHOSE: Record<NonNullable<Plan["baseline"]>["kind"], string> = {
  defaults: "The engine's defaults are",
  mine: "Your current settings are",
};

function PlanSummary({ plan }: { plan: Plan }) {
  const { prediction } = plan;
  const minutes = plan.expected_minutes ?? prediction.minutes;
  return (
    <>
      <dl className={classes.numbers}>
        <Figure
          title="Candidates"
          value={count(plan.candidates)}
          more={`of ${count(plan.combinations)}`}
        />
        <Figure
          title="Launches"
          value={count(plan.launches)}
          more={plan.side_by_side > 1 ? `${plan.side_by_side} at once` : "at most"}
        />
        <Figure
          title="Expected time"
          value={minutes === null ? "–" : duration(60 * minutes)}
          more={
            plan.at_most_minutes === null
              ? ""
              : plan.at_most_minutes === minutes
                ? "at most"
                : `at most ${duration(60 * plan.at_most_minutes)}`
          }
        />
        <Figure
          title="Cost"
          value={usd(prediction.usd)}
          more={prediction.usd === null ? "no price known" : "expected"}
        />
      </dl>
      {prediction.frontier.length > 0 ? (
        <FrontierSketch prediction={prediction} />
      ) : (
        <details className="quiet" open>
          <summary>Nothing is predicted yet; measuring decides</summary>
          <Text size="xs" className="text-of-users">
            <WithCode text={asSentence(prediction.why) || "Prediction is off."} />
          </Text>
        </details>
      )}
      {prediction.recommended && <Recommended plan={plan} />}
      <Excluded plan={plan} />
      <Text size="xs" className="quiet text-of-users" mt={6}>
        {plan.engine} {plan.engine_version} on {device(plan.device)}, requests {plan.workload}.
        {plan.baseline && ` ${WHOSE[plan.baseline.kind]} launched first, to compare with.`}
        {plan.confirm_launches > 0 &&
          ` To confirm the result, up to ${counted(plan.confirm_launches, "launch", "launches")} follow at the end.`}
        {!plan.installed && " The engine is not installed on the service's machine."}
      </Text>
      {[...plan.warnings, ...prediction.warnings, ...plan.model_notes, ...plan.slo_notes].map(
        (warning) => (
          <Text key={warning} size="xs" className="text-of-users" c="var(--warn)">
            {asSentence(warning)}
          </Text>
        ),
      )}
    </>
  );
}

function Figure({ title, value, more }: { title: string; value: string; more: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {value}
        <small>{more}</small>
      </dd>
    </div>
  );
}

function Recommended({ plan }: { plan: Plan }) {
  const point = plan.prediction.recommended;
  if (!point) return null;
  const varying = Object.entries(point.settings).filter(([field]) => field in plan.axes);
  return (
    <details open>
      <summary>
        Recommended by prediction
        {point.limits.length > 0 && (point.meets_slo ? ", within the SLO" : ", outside the SLO")}
      </summary>
      <ul className={classes.list}>
        {FIGURES.map((name) => (
          <li key={name}>
            <span>{quantity(name).title}</span>
            <span>{withUnit(quantity(name), point[name])}</span>
          </li>
        ))}
        <li>
          <span>Load</span>
          <span>{load(point.load)}</span>
        </li>
        {varying.map(([field, value]) => (
          <li key={field}>
            <span title={field}>{fieldName(field)}</span>
            <span>{setting(value)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Excluded({ plan }: { plan: Plan }) {
  const reasons = Object.entries(plan.excluded).sort(([, a], [, b]) => b - a);
  const excluded = reasons.reduce((sum, [, number]) => sum + number, 0);
  if (excluded === 0) return null;
  return (
    <details>
      <summary>{counted(excluded, "combination")} excluded</summary>
      <ul className={classes.list}>
        {reasons.slice(0, MOST_REASONS).map(([reason, number]) => (
          <li key={reason}>
            <span className="text-of-users">{reason}</span>
            <span>{count(number)}</span>
          </li>
        ))}
        {reasons.length > MOST_REASONS && (
          <li className="quiet">
            <span>{counted(reasons.length - MOST_REASONS, "other reason")}</span>
          </li>
        )}
      </ul>
    </details>
  );
}

function PlanSkeleton() {
  return (
    <>
      <Skeleton h={54} />
      <Skeleton h={190} />
      <Skeleton h={60} />
    </>
  );
}
