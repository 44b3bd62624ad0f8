import { Stack } from "@mantine/core";
import { BaselineCard } from "./baseline-card";
import { ConfirmationCard } from "./confirmation-card";
import { DisturbanceNotice } from "./disturbance-notice";
import { Downloads } from "./downloads";
import { FailuresCard } from "./failures-card";
import { GoalsCard } from "./goals-card";
import classes from "./overview.module.css";
import { ProgressCard } from "./progress-card";
import { RecommendedCard } from "./recommended-card";
import { useTask } from "./task-context";

/** How a task stands, and what to take from it. */
export function Overview() {
  // Where all launches failed, why comes before what there is not.
  const { failed, completed } = useTask().experiments;
  const hasAnswer = completed > 0 || failed === 0;
  return (
    <>
      <ProgressCard />
      <DisturbanceNotice mt="md" isFailureShown />
      <div className={classes.grid}>
        <Stack gap="md">
          {hasAnswer && <RecommendedCard />}
          {hasAnswer && <BaselineCard />}
          {hasAnswer && <ConfirmationCard />}
          <FailuresCard />
          {!hasAnswer && <RecommendedCard />}
        </Stack>
        <Stack gap="md">
          <GoalsCard />
          <Downloads />
        </Stack>
      </div>
    </>
  );
}
