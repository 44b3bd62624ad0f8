import { Stack } from "@mantine/core";
import { Downloads } from "./downloads";
import { FailuresCard } from "./failures-card";
import { GoalsCard } from "./goals-card";
import classes from "./overview.module.css";
import { ProgressCard } from "./progress-card";
import { RecommendedCard } from "./recommended-card";

/** How a task stands, and what to take from it. */
export function Overview() {
  return (
    <>
      <ProgressCard />
      <div className={classes.grid}>
        <Stack gap="md">
          <RecommendedCard />
          <FailuresCard />
        </Stack>
        <Stack gap="md">
          <GoalsCard />
          <Downloads />
        </Stack>
      </div>
    </>
  );
}
