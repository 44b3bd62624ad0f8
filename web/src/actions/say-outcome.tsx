import { List, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type Outcome, outcomeTitle, refusalLines } from "./outcome";
import type { Verb } from "./verbs";

const READING_MS = 15_000;
const GLANCE_MS = 4_000;

/** Says what became of an action, and why what was refused was. */
export function sayOutcome(verb: Verb, outcome: Outcome, note = ""): void {
  const lines = refusalLines(outcome.refusals);
  notifications.show({
    title: outcomeTitle(verb, outcome),
    message: lines.length > 1 ? <Reasons lines={lines} /> : (lines[0] ?? note),
    color: lines.length > 0 ? "red" : "green",
    autoClose: lines.length > 0 ? READING_MS : GLANCE_MS,
  });
}

function Reasons({ lines }: { lines: string[] }) {
  return (
    <List size="sm" spacing={2}>
      {lines.map((line) => (
        <List.Item key={line}>
          <Text size="sm" className="text-of-users">
            {line}
          </Text>
        </List.Item>
      ))}
    </List>
  );
}
