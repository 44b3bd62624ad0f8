import { Anchor, Group, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { remediesQuery } from "~/api/catalog";
import { useExperiments } from "~/api/experiments";
import { type FailureGroup, failureGroups, failureName } from "~/experiments/failures";
import { counted } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import classes from "./overview.module.css";
import { useTask } from "./task-context";

const MOST_LINKS = 8;

/** What failed and what helps; nothing where nothing did. */
export function FailuresCard() {
  const task = useTask();
  const { experiments } = useExperiments(task.id);
  const groups = failureGroups(experiments);
  if (groups.length === 0) return null;
  const failed = groups.reduce((sum, group) => sum + group.indexes.length, 0);
  return (
    <section className="card card-body" aria-labelledby="failures">
      <Group justify="space-between" gap="xs">
        <Title order={2} fz="lg" id="failures">
          {counted(failed, "launch", "launches")} failed
        </Title>
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link
              {...props}
              to="/tasks/$taskId/experiments"
              params={{ taskId: task.id }}
              search={{ status: ["failed"] }}
            />
          )}
        >
          {failed === 1 ? "Show it" : "Show them"}
        </Anchor>
      </Group>
      {groups.map((group) => (
        <Failure key={group.kind} taskId={task.id} group={group} />
      ))}
    </section>
  );
}

function Failure({ taskId, group }: { taskId: number; group: FailureGroup }) {
  const remedies = useQuery(remediesQuery).data;
  return (
    <div className={classes.failure}>
      <Group gap="xs">
        <Text fw={600}>{failureName(group.kind)}</Text>
        <Group gap={6}>
          {group.indexes.slice(0, MOST_LINKS).map((index) => (
            <Anchor
              key={index}
              size="sm"
              renderRoot={(props) => (
                <Link
                  {...props}
                  to="/tasks/$taskId/experiments/$index"
                  params={{ taskId, index }}
                />
              )}
            >
              #{index}
            </Anchor>
          ))}
          {group.indexes.length > MOST_LINKS && (
            <Text size="sm" className="quiet">
              and {group.indexes.length - MOST_LINKS} more
            </Text>
          )}
        </Group>
      </Group>
      <Text size="sm" className="text-of-users">
        {asSentence(group.message)}
      </Text>
      <Text size="sm" className="quiet">
        {remedies?.get(group.kind)}
      </Text>
    </div>
  );
}
