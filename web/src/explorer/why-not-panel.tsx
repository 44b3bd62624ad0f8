import { Skeleton, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Why, whyQuery } from "~/api/why";
import { ErrorNotice } from "~/ui/error-notice";
import { change, count, counted, number } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import type { Limits } from "./slo";
import { isSame, type Relaxation, relaxationsOf } from "./why-not";
import classes from "./why-not-panel.module.css";

interface WhyNotPanelProps {
  taskId: number;
  /** Those in force. */
  limits: Limits;
  onLimits: (limits: Limits) => void;
}

/** Why nothing meets the task's SLO: the nearest point, what relaxing a limit gains, what is excluded. */
export function WhyNotPanel({ taskId, limits, onLimits }: WhyNotPanelProps) {
  const found = useQuery(whyQuery(taskId));
  return (
    <section className="card card-stack" aria-labelledby="why-not">
      <Title order={2} fz="md" id="why-not">
        Why nothing meets the SLO
      </Title>
      {found.isPending && <Skeleton h={96} aria-label="Loading the reasons" />}
      {found.isError && <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && <Found found={found.data} limits={limits} onLimits={onLimits} />}
    </section>
  );
}

function Found({ found, limits, onLimits }: { found: Why } & Omit<WhyNotPanelProps, "taskId">) {
  const effects = found.measured ?? found.predicted;
  const rows = effects ? relaxationsOf(effects) : [];
  return (
    <>
      <Text size="sm">{found.lead}</Text>
      {rows.length > 0 && (
        <ScrollingBox label="What relaxing a limit gains">
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Relaxing, to see it in the chart</th>
                <th scope="col">By</th>
                <th scope="col">Points</th>
                <th scope="col">Candidates</th>
                <th scope="col">Best {found.unit}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row
                  key={row.key}
                  row={row}
                  isChosen={isSame(row.limits, limits)}
                  onLimits={onLimits}
                />
              ))}
            </tbody>
          </table>
        </ScrollingBox>
      )}
      {effects && effects.unclear > 0 && (
        <Text size="xs" className="quiet">
          {counted(effects.unclear, "point misses", "points miss")} the SLO by the value, and may
          meet it by the interval.
        </Text>
      )}
      <Excluded found={found} />
      {found.notes.map((note) => (
        <Text key={note} size="xs" className="quiet text-of-users">
          {note}
        </Text>
      ))}
    </>
  );
}

interface RowProps {
  row: Relaxation;
  isChosen: boolean;
  onLimits: (limits: Limits) => void;
}

function Row({ row, isChosen, onLimits }: RowProps) {
  return (
    <tr data-chosen={isChosen || undefined}>
      <th scope="row">
        <button
          type="button"
          className={classes.step}
          aria-pressed={isChosen}
          onClick={() => onLimits(row.limits)}
        >
          {row.title}
        </button>
      </th>
      <td>{change(row.share)}</td>
      <td>{count(row.points)}</td>
      <td>{count(row.candidates)}</td>
      <td>{number(row.best?.objective)}</td>
    </tr>
  );
}

function Excluded({ found }: { found: Why }) {
  const { exclusions } = found;
  if (exclusions === null || exclusions.rules.length === 0) return null;
  const left = exclusions.combinations - exclusions.candidates;
  return (
    <div>
      <Text size="sm">
        {count(left)} of {count(exclusions.combinations)} combinations are excluded. A candidate
        needs that
      </Text>
      <ul>
        {exclusions.rules.map((rule) => (
          <li key={rule.name}>
            <Text size="sm" span>
              {rule.name}: {count(rule.breaking)} do not ({count(rule.alone)} by this alone)
              {rule.ways[0] && `; ${rule.ways[0].text}`}
            </Text>
          </li>
        ))}
      </ul>
    </div>
  );
}
