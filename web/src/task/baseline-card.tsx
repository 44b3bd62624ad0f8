import { Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Baseline, baselineQuery, type ComparedPoints } from "~/api/results";
import { quantity } from "~/ui/quantities";
import { BASELINE_NAMES, certainty, comparisons, gain } from "./baseline";
import { useTask } from "./task-context";

/** The recommended point beside the engine's defaults: how much better, and how sure. */
export function BaselineCard() {
  const task = useTask();
  const found = useQuery(baselineQuery(task.id));
  if (!found.data) return null;
  return (
    <section className="card card-body" aria-labelledby="baseline">
      <Title order={2} fz="lg" id="baseline" mb="sm">
        Against {BASELINE_NAMES[found.data.kind]}
      </Title>
      <Answer baseline={found.data} />
    </section>
  );
}

function Answer({ baseline }: { baseline: Baseline }) {
  const compared = comparisons(baseline);
  if (baseline.failure)
    return <Text size="sm">They did not run, so nothing is compared: {baseline.failure}</Text>;
  if (baseline.is_recommended)
    return <Text size="sm">Nothing measured is better: they are the recommended point.</Text>;
  if (compared.length === 0)
    return <Text size="sm">There is nothing to compare with them yet.</Text>;
  return (
    <Stack gap="md">
      {compared.map(({ title, points }) => (
        <Comparison key={title} title={title} points={points} />
      ))}
      <Changes baseline={baseline} />
      <Text size="sm" c="dimmed">
        Each was launched once. Launches of one configuration differ, mostly by some percent, so
        that a small difference can be chance.
      </Text>
    </Stack>
  );
}

function Comparison({ title, points }: { title: string; points: ComparedPoints }) {
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table captionSide="top" verticalSpacing={4}>
        <Table.Caption ta="left">{title}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Figure</Table.Th>
            <Table.Th ta="right">Baseline</Table.Th>
            <Table.Th ta="right">Recommended</Table.Th>
            <Table.Th ta="right">Change</Table.Th>
            <Table.Th>95 % interval</Table.Th>
            <Table.Th>How sure</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {points.figures.map((figure) => {
            const known = quantity(figure.quantity);
            return (
              <Table.Tr key={figure.quantity}>
                <Table.Th scope="row" fw={500}>
                  {known.title}, {known.unit}
                </Table.Th>
                <Table.Td ta="right">{known.format(figure.baseline)}</Table.Td>
                <Table.Td ta="right">{known.format(figure.recommended)}</Table.Td>
                <Table.Td ta="right">{gain(figure.ratio)}</Table.Td>
                <Table.Td>
                  {gain(figure.low)} to {gain(figure.high)}
                </Table.Td>
                <Table.Td>{certainty(figure)}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Changes({ baseline }: { baseline: Baseline }) {
  if (!baseline.changes?.length) return null;
  const changes = baseline.changes.map(
    ({ field, recommended, baseline: before }) =>
      `${field} ${recommended ?? "not set"} (${before ?? "not set"})`,
  );
  return <Text size="sm">It changes {changes.join(", ")}.</Text>;
}
