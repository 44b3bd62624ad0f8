import { Text, Title } from "@mantine/core";
import type { Deployment, Sizing } from "~/api/sizing";
import { count, load, milliseconds, number, percent, usd } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./sizing.module.css";
import {
  devicesOf,
  differing,
  heldBetween,
  replicasBetween,
  SOURCES,
  settingsInWords,
} from "./words";

/** Every candidate that holds the traffic, the smallest deployment first. */
export function DeploymentTable({ found }: { found: Sizing }) {
  const { deployments, holding, candidates, source } = found;
  const axes = differing(deployments);
  const { word, intervals } = SOURCES[source];
  return (
    <section className="card card-stack" aria-labelledby="candidates">
      <div>
        <Title order={2} fz="md" id="candidates">
          Candidates that hold it
        </Title>
        <Text size="sm" className="quiet">
          {count(holding)} of {count(candidates)} candidates, {word}; smallest first
          {deployments.length < holding &&
            (source === "predicted"
              ? ", one of each GPU, engine, layout and number formats"
              : ", the first of them")}
          . Small print: by the {intervals}.
        </Text>
      </div>
      <ScrollingBox label="Table of candidates">
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Candidate</th>
              <th scope="col">Replicas</th>
              <th scope="col">GPUs</th>
              <th scope="col">USD per hour</th>
              <th scope="col">USD/M output</th>
              <th scope="col">Head room</th>
              <th scope="col">One holds, requests/s</th>
              <th scope="col">TTFT</th>
              <th scope="col">TPOT</th>
              <th scope="col">Figures</th>
            </tr>
          </thead>
          <tbody>
            {deployments.map((made) => (
              <Row
                key={`${made.gpu}:${made.candidate}:${made.is_baseline}`}
                made={made}
                axes={axes}
                word={word}
              />
            ))}
          </tbody>
        </table>
      </ScrollingBox>
    </section>
  );
}

function Row({ made, axes, word }: { made: Deployment; axes: readonly string[]; word: string }) {
  return (
    <tr>
      <th scope="row" className={classes.candidate}>
        <span className="text-of-users">
          {made.is_baseline ? "Baseline" : made.candidate.slice(0, 7)}, {made.engine}
        </span>
        <Small text={settingsInWords(made, axes)} />
      </th>
      <td>
        {count(made.replicas)}
        <Small text={replicasBetween(made)} />
      </td>
      <td>{devicesOf(made)}</td>
      <td>{usd(made.usd_per_hour)}</td>
      <td>{usd(made.usd_per_million_tokens)}</td>
      <td>{percent(1 - made.utilisation)}</td>
      <td>
        {number(made.capacity.requests_per_s)}
        <Small
          text={[heldBetween(made), `at ${load(made.capacity.load)}`].filter(Boolean).join(", ")}
        />
      </td>
      <td>{milliseconds(made.latencies_ms.ttft_ms)}</td>
      <td>{milliseconds(made.latencies_ms.tpot_ms)}</td>
      <td>{word}</td>
    </tr>
  );
}

function Small({ text }: { text: string | null }) {
  if (text === null || text === "") return null;
  return (
    <Text size="xs" className="quiet">
      {text}
    </Text>
  );
}
