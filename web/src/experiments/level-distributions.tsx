import { Text } from "@mantine/core";
import type { Distribution, MeasuredLevel } from "~/api/experiments";
import { count, milliseconds, percent } from "~/ui/format";
import classes from "./experiment.module.css";
import { LATENCIES, type LatencyKey, stripOf } from "./levels";

interface LevelDistributionsProps {
  level: MeasuredLevel;
  scales: Record<LatencyKey, number>;
}

/** Latencies of one level: percentiles as figures, and their spread on the scale of all levels. */
export function LevelDistributions({ level, scales }: LevelDistributionsProps) {
  const found = LATENCIES.flatMap(({ key, title }) => {
    const spread = level[key];
    return spread ? [{ key, title, spread }] : [];
  });
  const errors = Object.entries(level.errors ?? {});
  return (
    <>
      {found.length > 0 && (
        <table className={classes.levels}>
          <thead>
            <tr>
              <th scope="col">Latency</th>
              <th scope="col">mean</th>
              <th scope="col">min</th>
              <th scope="col">p50</th>
              <th scope="col">p90</th>
              <th scope="col">p95</th>
              <th scope="col">p99</th>
              <th scope="col">max</th>
              <th scope="col">values</th>
              <th scope="col">min to max, box p50 to p90</th>
            </tr>
          </thead>
          <tbody>
            {found.map(({ key, title, spread }) => (
              <tr key={key}>
                <th scope="row">{title}</th>
                {[
                  spread.mean,
                  spread.min,
                  spread.p50,
                  spread.p90,
                  spread.p95,
                  spread.p99,
                  spread.max,
                ].map((value, place) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: one cell a column, always the same.
                  <td key={place}>{milliseconds(value)}</td>
                ))}
                <td>{count(spread.count)}</td>
                <td>
                  <SpreadStrip spread={spread} scaleMs={scales[key]} title={title} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {errors.map(([message, times]) => (
        <Text key={message} size="sm" className="text-of-users" mt={6}>
          {count(times)} × {message}
        </Text>
      ))}
      <Text size="xs" className="quiet" mt={6}>
        {count(level.input_tokens)} tokens in, {count(level.output_tokens)} out · load generator{" "}
        {level.tool}, {percent(level.client_cpu_share, 0)} of a CPU
      </Text>
    </>
  );
}

interface SpreadStripProps {
  spread: Distribution;
  scaleMs: number;
  title: string;
}

function SpreadStrip({ spread, scaleMs, title }: SpreadStripProps) {
  const { min, p50, p90, max } = stripOf(spread, scaleMs);
  const text = `${title}: ${milliseconds(spread.min)} to ${milliseconds(spread.max)}, half of them up to ${milliseconds(spread.p50)}`;
  return (
    <div className={classes.strip} role="img" aria-label={text} title={text}>
      <span className={classes.range} style={{ left: `${min}%`, width: `${max - min}%` }} />
      <span className={classes.box} style={{ left: `${p50}%`, width: `max(3px, ${p90 - p50}%)` }} />
    </div>
  );
}
