import { Badge, Group, Text, Title } from "@mantine/core";
import type { Deployment, Sizing } from "~/api/sizing";
import overview from "~/task/overview.module.css";
import { SettingsLine } from "~/task/settings-line";
import { CommandBlock } from "~/ui/command-block";
import { counted, load, milliseconds, number, percent, usd } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import {
  devicesOf,
  differing,
  heldBetween,
  heldByOne,
  replicasBetween,
  SOURCES,
  trafficInWords,
} from "./words";

/** The smallest deployment that holds the traffic: its size, its costs, and how sure that is. */
export function SmallestCard({ found }: { found: Sizing }) {
  const [smallest] = found.deployments;
  if (smallest === undefined) return null;
  const source = SOURCES[found.source];
  return (
    <section className="card card-stack" aria-labelledby="smallest">
      <Group gap="sm">
        <Title order={2} fz="md" id="smallest">
          Smallest deployment for {trafficInWords(found.traffic)}
        </Title>
        <Badge variant="light" tt="none" fw={550} color={smallest.is_baseline ? "gray" : undefined}>
          {smallest.is_baseline ? "baseline" : source.word}
        </Badge>
      </Group>
      <SettingsLine
        settings={smallest.settings}
        axes={differing(found.deployments)}
        load={`${smallest.engine} on ${smallest.gpu}`}
      />
      <dl className={overview.figures}>
        {tilesOf(smallest).map(({ name, value, note }) => (
          <div key={name} className={overview.figure}>
            <dt>{name}</dt>
            <dd>
              <span className={overview.value}>{value}</span>
              {note && <div className={overview.note}>{note}</div>}
            </dd>
          </div>
        ))}
      </dl>
      <Cheapest found={found} smallest={smallest} />
      <CommandBlock
        title="Command of one replica"
        command={smallest.command}
        unserved={smallest.unserved}
      />
    </section>
  );
}

interface Tile {
  name: string;
  value: string;
  note: string | null;
}

function tilesOf(made: Deployment): Tile[] {
  const between = replicasBetween(made);
  const held = heldBetween(made);
  const expected = made.between.map(load).join(" and ");
  const latencies = Object.entries(made.latencies_ms).map(([name, value]) => ({
    name: `Expected ${quantity(name).short}`,
    value: milliseconds(value),
    note: made.between.length > 1 ? `between those at ${expected}` : `that at ${expected}`,
  }));
  const tiles: Tile[] = [
    { name: "Replicas", value: `${made.replicas}`, note: between && `${between} by the intervals` },
    {
      name: "GPUs",
      value: devicesOf(made),
      note: made.gpus === 0 ? null : `${made.gpus_per_replica} each`,
    },
    {
      name: "Cost per hour",
      value: usd(made.usd_per_hour),
      note: made.usd_per_hour === null ? "no price is known" : null,
    },
    {
      name: "Per million output tokens",
      value: usd(made.usd_per_million_tokens),
      note:
        made.usd_per_million_total_tokens === null
          ? null
          : `${usd(made.usd_per_million_total_tokens)} with those of input`,
    },
    {
      name: "Head room",
      value: percent(1 - made.utilisation),
      note: `uses ${percent(made.utilisation)} of what they hold`,
    },
    {
      name: "One replica holds",
      value: number(made.capacity.requests_per_s),
      note: [`requests/s at ${load(made.capacity.load)}`, held && `${held} by the interval`]
        .filter(Boolean)
        .join("; "),
    },
  ];
  return [...tiles, ...latencies];
}

function Cheapest({ found, smallest }: { found: Sizing; smallest: Deployment }) {
  const { cheapest } = found;
  if (cheapest === null || cheapest.usd_per_hour === smallest.usd_per_hour) return null;
  return (
    <Text size="sm">
      Cheapest is another: {counted(cheapest.replicas, "replica")} of{" "}
      {cheapest.candidate.slice(0, 7)} on {devicesOf(cheapest)}, {usd(cheapest.usd_per_hour)} per
      hour. One holds {heldByOne(cheapest)}.
    </Text>
  );
}
