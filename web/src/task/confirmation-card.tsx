import { Badge, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Confirmation, confirmationQuery } from "~/api/results";
import { asSentence } from "~/ui/sentence";
import { useTask } from "./task-context";

const WORDS: Record<Confirmation["status"], { text: string; color: string }> = {
  confirmed: { text: "confirmed", color: "green" },
  not_settled: { text: "not settled", color: "yellow" },
  failed: { text: "failed", color: "red" },
  none: { text: "not confirmed", color: "gray" },
  pending: { text: "to come", color: "gray" },
};

/** Whether the recommended candidate holds its place when it and its rivals are launched again. */
export function ConfirmationCard() {
  const task = useTask();
  const found = useQuery(confirmationQuery(task.id));
  if (!found.data) return null;
  const { status, headline, contenders, notes } = found.data;
  return (
    <section className="card card-body" aria-labelledby="confirmation">
      <Group gap="sm" mb="sm">
        <Title order={2} fz="lg" id="confirmation">
          Confirmation
        </Title>
        <Badge color={WORDS[status].color} variant="light">
          {WORDS[status].text}
        </Badge>
      </Group>
      <Stack gap="md">
        <Text size="sm">{asSentence(headline)}</Text>
        {contenders && contenders.length > 0 && <Contenders contenders={contenders} />}
        {notes?.map((note) => (
          <Text key={note} size="sm" c="dimmed">
            {asSentence(note)}
          </Text>
        ))}
      </Stack>
    </section>
  );
}

function Contenders({ contenders }: { contenders: NonNullable<Confirmation["contenders"]> }) {
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table captionSide="top" verticalSpacing={4}>
        <Table.Caption ta="left">The recommended candidate beside others</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Compared with</Table.Th>
            <Table.Th ta="right">Launches</Table.Th>
            <Table.Th ta="right">Better by</Table.Th>
            <Table.Th>95 % interval</Table.Th>
            <Table.Th>How sure</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {contenders.map((other) => (
            <Table.Tr key={other.index}>
              <Table.Th scope="row" fw={500}>
                {other.name}
              </Table.Th>
              <Table.Td ta="right">{other.launches}</Table.Td>
              <Table.Td ta="right">{other.change}</Table.Td>
              <Table.Td>{other.interval}</Table.Td>
              <Table.Td>{other.certainty}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
