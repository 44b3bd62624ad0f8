import { Alert, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ExperimentDetail } from "~/api/experiments";
import { ScrollingText } from "~/ui/scrolling-text";
import classes from "./experiment.module.css";
import { failureText } from "./failures";

type Failure = NonNullable<ExperimentDetail["failure"]>;

/** Why a launch failed, what helps, and the last lines of its log. */
export function FailureCard({ failure }: { failure: Failure }) {
  const { title, remedy } = failureText(failure.kind);
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={title}>
      <Text size="sm" className="text-of-users">
        {failure.message}
      </Text>
      <Text size="sm" mt={4}>
        {remedy}
      </Text>
      {failure.log_tail && (
        <ScrollingText label="Last lines of the log" className={classes.tail}>
          {failure.log_tail}
        </ScrollingText>
      )}
    </Alert>
  );
}
