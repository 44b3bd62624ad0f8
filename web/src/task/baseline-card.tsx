import { Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Baseline, baselineQuery, type ComparedPoints } from "~/api/results";
import { quantity } from "~/ui/quantities";
import { asSentence } from "~/ui/sentence";
import { useTask } from "./task-context";

/** The recommended point beside the engine's defaults: how much better, and how sure. */
export function BaselineCard() {
  const task = useTask();
  const found = useQuery(baselineQuery(task.id));
  if (!found.data) return null;
  const { name, headline, within_slo, same_load, caveat } = found.data;
  return (
    <section className="card card-body" aria-labelledby="baseline">
      <Title order={2} fz="lg" id="baseline" mb="sm">
        Against {name}
      </Title>
      <Stack gap="md">
        <Text size="sm">{asSentence(headline)}</Text>
        {within_slo && <Comparison points={within_slo} />}
        {same_load && <Comparison points={same_load} />}
        <Changes baseline={found.data} />
        {caveat && (
          <Text size="sm" c="dimmed">
            {caveat}
          </Text>
        )}
      </Stack>
    </section>
  );
}

function Comparison({ points }: { points: ComparedPoints }) {
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table captionSide="top" verticalSpacing={4}>
        <Table.Caption ta="left">
          {[points.title, points.note].filter(Boolean).map(asSentence).join(" ")}
        </Table.Caption>
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
                <Table.Td ta="right">{figure.change}</Table.Td>
                <Table.Td>{figure.interval}</Table.Td>
                <Table.Td>{figure.certainty}</Table.Td>
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
    ({ name, recommended, baseline: before }) =>
      `${name} ${before ?? "default"} → ${recommended ?? "default"}`,
  );
  return <Text size="sm">The recommended point changes {changes.join(", ")}.</Text>;
}
