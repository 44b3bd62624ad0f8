import { Text, Title } from "@mantine/core";
import type { Alternative, Recommendation, RecommendedByPrediction } from "~/api/recommendation";
import { load, milliseconds, number, usd } from "~/ui/format";
import { range } from "~/ui/range";
import { ScrollingBox } from "~/ui/scrolling-box";
import { VerdictBadge } from "~/ui/verdict-badge";
import { differsInWords, settingsInWords } from "./recommendation-words";
import classes from "./start.module.css";

interface AlternativesTableProps {
  found: Recommendation;
  best: RecommendedByPrediction;
}

/** The next best points that differ in kind from the recommended one. */
export function AlternativesTable({ found, best }: AlternativesTableProps) {
  const isPriced = found.usd_per_gpu_hour !== null;
  const isLimited = Object.keys(found.slo).length > 0;
  return (
    <div>
      <Title order={3} fz="sm" mb={4}>
        Next best of other kinds
      </Title>
      <ScrollingBox label="Table of other kinds">
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Differs in</th>
              <th scope="col">GPUs</th>
              <th scope="col">Load</th>
              <th scope="col">tok/s/GPU</th>
              <th scope="col">TTFT</th>
              <th scope="col">TPOT</th>
              {isPriced && <th scope="col">USD/M output</th>}
              {isLimited && <th scope="col">SLO</th>}
            </tr>
          </thead>
          <tbody>
            {found.alternatives.map((point) => (
              <tr key={`${point.engine}:${point.candidate}`}>
                <th scope="row">
                  <span>{differsInWords(point, best)}</span>
                  <Text size="xs" className="quiet">
                    {point.engine}: {settingsInWords(point.settings)}
                  </Text>
                </th>
                <td>{point.gpus}</td>
                <td>{load(point.load)}</td>
                <PerGpu point={point} />
                <td>{milliseconds(point.ttft_ms)}</td>
                <td>{milliseconds(point.tpot_ms)}</td>
                {isPriced && <td>{usd(point.usd_per_million_tokens)}</td>}
                {isLimited && (
                  <td className={classes.verdict}>
                    {point.verdict !== null && <VerdictBadge verdict={point.verdict} />}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollingBox>
    </div>
  );
}

function PerGpu({ point }: { point: Alternative }) {
  const [low, high] = point.intervals.tok_s ?? [];
  return (
    <td>
      {number(point.tok_s / point.gpus)}
      {low !== undefined && high !== undefined && (
        <Text size="xs" className="quiet">
          {range(number(low / point.gpus), number(high / point.gpus))}
        </Text>
      )}
    </td>
  );
}
