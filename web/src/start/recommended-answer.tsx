import { Alert, Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconPlayerPlay } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Recommendation, RecommendedByPrediction } from "~/api/recommendation";
import type { WantedTask } from "~/new-task/search-params";
import { FigureTile } from "~/task/figure-tile";
import overview from "~/task/overview.module.css";
import { SettingsLine } from "~/task/settings-line";
import { CommandBlock } from "~/ui/command-block";
import { EmptyState } from "~/ui/empty-state";
import { counted, duration, number, usd } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { VerdictBadge } from "~/ui/verdict-badge";
import { AlternativesTable } from "./alternatives-table";
import { decidingFields, figuresOf, placeInWords, rivalsInWords } from "./recommendation-words";
import classes from "./start.module.css";

interface RecommendedAnswerProps {
  found: Recommendation;
  wanted: WantedTask;
}

/** The recommended point, others in kind, and what measuring would settle; or why nothing fits. */
export function RecommendedAnswer({ found, wanted }: RecommendedAnswerProps) {
  const { recommended, certain } = found;
  return (
    <Stack gap="md">
      {recommended === null && (
        <EmptyState
          isSmall
          title="Nothing is predicted"
          text="There is no point to recommend. The reasons are below."
        />
      )}
      {recommended !== null && (
        <>
          {!found.meets_slo && <WhyNot found={found} />}
          <Point
            title={found.meets_slo ? "Recommended" : "Nearest to your limits"}
            point={recommended}
            found={found}
          />
          <Group gap="sm">
            <Button
              renderRoot={(props) => (
                <Link
                  to="/tasks/new"
                  search={{ ...wanted, engine: recommended.engine }}
                  {...props}
                />
              )}
              variant={found.meets_slo ? "filled" : "default"}
              leftSection={<IconPlayerPlay size={16} aria-hidden />}
            >
              Tune this
            </Button>
            <Text size="sm" className="quiet">
              Opens a new task with these values; nothing starts before you say so.
            </Text>
          </Group>
        </>
      )}
      {recommended !== null && certain !== null && (
        <Point
          title="The safe choice"
          point={certain}
          found={found}
          isSameCommand={certain.command === recommended.command}
        />
      )}
      {recommended !== null && found.alternatives.length > 0 && (
        <AlternativesTable found={found} best={recommended} />
      )}
      <Measuring found={found} />
      <Remarks found={found} />
    </Stack>
  );
}

/** Why nothing fits; without reasons, that no limit is to blame. */
function WhyNot({ found }: { found: Recommendation }) {
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title="Nothing is predicted within your limits"
    >
      <Stack gap={4}>
        {found.why_not.map((line) => (
          <span key={line}>{asSentence(line)}</span>
        ))}
      </Stack>
    </Alert>
  );
}

interface PointProps {
  title: string;
  point: RecommendedByPrediction;
  found: Recommendation;
  /** Whether its command stands above already: it is the same engine with another load. */
  isSameCommand?: boolean;
}

function Point({ title, point, found, isSameCommand = false }: PointProps) {
  const limits = new Map(point.limits.map((limit) => [limit.name, limit]));
  const fit = point.replicas_that_fit;
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Title order={3} fz="sm">
          {title}
        </Title>
        <Badge variant="light" tt="none" fw={550}>
          predicted
        </Badge>
        {point.verdict !== null && <VerdictBadge verdict={point.verdict} />}
      </Group>
      <SettingsLine
        settings={point.settings as Record<string, string>}
        axes={decidingFields(point.settings)}
        load={placeInWords(point, found)}
      />
      <Text size="sm" className="quiet">
        {asSentence(point.reason)} From {point.kind}.
      </Text>
      <dl className={overview.figures}>
        {figuresOf(point).map(({ name, value, range }) => (
          <FigureTile
            key={name}
            name={name}
            value={value}
            range={range}
            certainty={80}
            limit={limits.get(name)?.limit_ms}
            verdict={limits.get(name)?.verdict}
          />
        ))}
      </dl>
      {fit > 1 && (
        <Text size="sm">
          It takes {point.gpus} of {found.gpus} GPUs: {fit} of these fit,{" "}
          {number(fit * point.tok_s)} tok/s together.
        </Text>
      )}
      {isSameCommand ? (
        <Text size="sm">The command is the same; only the load is another.</Text>
      ) : (
        <CommandBlock
          command={point.command}
          title="Command that serves it"
          unserved={point.unserved}
          sampleRequest={point.sample_request}
        />
      )}
    </Stack>
  );
}

function Measuring({ found }: { found: Recommendation }) {
  const { measuring } = found;
  if (measuring === null) return null;
  return (
    <div>
      <Title order={3} fz="sm" mb={4}>
        What measuring would settle
      </Title>
      <Text size="sm">{rivalsInWords(found)}</Text>
      <ul className={classes.list}>
        {measuring.tasks.map((task) => (
          <li key={task.engine}>
            A task of {task.engine}: up to {counted(task.launches, "launch", "launches")}
            {task.minutes !== null && `, about ${duration(60 * Math.ceil(task.minutes))}`}
            {task.usd !== null && `, ${usd(task.usd)}`}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What was compared, what cannot serve the model and why, and what went wrong. */
function Remarks({ found }: { found: Recommendation }) {
  const refused = Object.entries(found.refused);
  const notes = [...(found.mixed === null ? [] : [found.mixed]), ...found.warnings];
  return (
    <ul className={`${classes.list} quiet`}>
      {found.engines.map(({ engine, predicted, candidates, why }) => (
        <li key={engine} className="text-of-users">
          {engine}: {predicted} of {counted(candidates, "candidate")} predicted
          {predicted === 0 && why && `: ${why}`}
        </li>
      ))}
      {refused.map(([engine, why]) => (
        <li key={engine} className="text-of-users">
          {engine} cannot serve it here: {why}
        </li>
      ))}
      {notes.map((note) => (
        <li key={note} className="text-of-users">
          {asSentence(note)}
        </li>
      ))}
    </ul>
  );
}
