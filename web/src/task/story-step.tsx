import { Anchor, Badge, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconPointFilled, IconProgress } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Experiment } from "~/api/experiments";
import type { LaunchStep } from "~/api/results";
import { failureName, failureRest } from "~/experiments/failures";
import { change, type LoadLevel, load, unbroken } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import classes from "./search-story.module.css";
import { SettingsLine } from "./settings-line";
import {
  addedText,
  besides,
  HYPERVOLUME,
  keptText,
  measureText,
  measureTitle,
  type StoryStep,
} from "./story";
import { useTask } from "./task-context";

interface StoryStepProps {
  step: StoryStep;
  measure: string;
  /** The settings in which the launches differ. */
  differing: readonly string[];
}

/** One launch: why, with which settings, what came of it. */
export function StoryStepView({ step, measure, differing }: StoryStepProps) {
  const task = useTask();
  const { experiment, launch, index } = step;
  return (
    <article className={`card ${classes.body}`} aria-label={`Launch ${index}`}>
      <Anchor
        className={classes.index}
        renderRoot={(props) => (
          <Link
            {...props}
            to="/tasks/$taskId/experiments/$index"
            params={{ taskId: task.id, index }}
          />
        )}
        aria-label={`Experiment ${index}`}
      >
        {index}
      </Anchor>
      <div>
        <Text size="sm" className="text-of-users">
          {experiment.phase && <strong>{experiment.phase}: </strong>}
          {unbroken(experiment.selection_reason) || "No reason was recorded"}
        </Text>
        <Group gap={6} mt={6}>
          <SettingsLine settings={experiment.settings} axes={differing} />
        </Group>
        <Outcome experiment={experiment} />
      </div>
      <Beside experiment={experiment} at={launch?.load ?? null} />
      <Added launch={launch} measure={measure} experiment={experiment} />
    </article>
  );
}

function Outcome({ experiment }: { experiment: Experiment }) {
  const { failure_kind: kind, failure_message: message, cut_short: cutShort } = experiment;
  if (kind !== null) {
    return (
      <Group gap={6} mt={6} wrap="nowrap" align="flex-start">
        <IconAlertTriangle
          size={15}
          aria-hidden
          style={{ flex: "none", marginTop: 2, color: "var(--bad)" }}
        />
        <Text size="sm" className="text-of-users">
          <strong>{failureName(kind)}</strong>
          {failureRest(kind, message ?? "")}
        </Text>
      </Group>
    );
  }
  if (!cutShort) return null;
  return (
    <Text size="sm" className="quiet text-of-users" mt={6}>
      Cut short {unbroken(cutShort)}
    </Text>
  );
}

interface BesideProps {
  experiment: Experiment;
  /** The level that the figures are of. */
  at: LoadLevel | null;
}

function Beside({ experiment, at }: BesideProps) {
  const rows = besides(experiment);
  if (rows.length === 0) {
    const why = experiment.unpredicted
      ? `Not predicted. ${asSentence(experiment.unpredicted)}`
      : "";
    return (
      <Text size="sm" className="quiet text-of-users">
        {why}
      </Text>
    );
  }
  return (
    <table className={classes.beside}>
      {at && (
        <caption className={classes.at} title={AT_TITLE}>
          At {load(at)}
        </caption>
      )}
      <thead>
        <tr>
          <td className={classes.what} />
          <th scope="col">predicted</th>
          <th scope="col">measured</th>
          <th scope="col">error</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, title, predicted, measured, error }) => (
          <tr key={name}>
            <th scope="row">{title}</th>
            <td>{predicted}</td>
            <td>{measured}</td>
            <td>{change(error)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const AT_TITLE =
  "As the predictor and calibration had it just before the launch. What the search itself expected is in its reason, and may be of another load.";

interface AddedProps {
  launch: LaunchStep | null;
  measure: string;
  experiment: Experiment;
}

function Added({ launch, measure, experiment }: AddedProps) {
  if (launch === null) {
    const isRunning = experiment.status === "running";
    return (
      <Badge
        variant="light"
        color={isRunning ? "lake" : "gray"}
        tt="none"
        fw={550}
        leftSection={isRunning ? <IconProgress size={12} aria-hidden /> : null}
      >
        {isRunning ? "Running" : "Not finished"}
      </Badge>
    );
  }
  const { value, added, in_vain: inVain } = launch;
  return (
    <div>
      <Group justify="space-between" gap={6}>
        <Text size="sm" fw={600}>
          {addedText(measure, launch)}
        </Text>
        <Text size="sm" className="quiet" title={`${measureTitle(measure)} after this launch`}>
          {measureText(measure, value)}
        </Text>
      </Group>
      {measure === HYPERVOLUME && value !== null && (
        <div className={classes.bar} aria-hidden>
          <div className={classes.before} style={{ width: `${100 * (value - (added ?? 0))}%` }} />
          <div
            className={classes.added}
            style={{ left: `${100 * (value - (added ?? 0))}%`, width: `${100 * (added ?? 0)}%` }}
          />
        </div>
      )}
      <Group gap={4} mt={4} wrap="nowrap" align="flex-start">
        {!inVain && (
          <IconPointFilled size={14} aria-hidden style={{ flex: "none", marginTop: 2 }} />
        )}
        <Text size="xs" className="quiet">
          {keptText(launch)}
        </Text>
      </Group>
    </div>
  );
}
