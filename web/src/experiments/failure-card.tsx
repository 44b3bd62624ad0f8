import { Alert, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { remediesQuery } from "~/api/catalog";
import type { ExperimentDetail } from "~/api/experiments";
import { ScrollingBox } from "~/ui/scrolling-box";
import { asSentence } from "~/ui/sentence";
import classes from "./experiment.module.css";
import { failureName } from "./failures";

type Failure = NonNullable<ExperimentDetail["failure"]>;

/** Why a launch failed, what helps, and the last lines of its log. */
export function FailureCard({ failure }: { failure: Failure }) {
  const remedies = useQuery(remediesQuery).data;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={failureName(failure.kind)}
    >
      <Text size="sm" className="text-of-users">
        {asSentence(failure.message)}
      </Text>
      <Text size="sm" mt={4}>
        {remedies?.get(failure.kind)}
      </Text>
      {failure.log_tail && (
        <ScrollingBox label="Last lines of the log" className={classes.tail}>
          {failure.log_tail}
        </ScrollingBox>
      )}
    </Alert>
  );
}
