import { Group } from "@mantine/core";
import { quantity, unitBeside } from "~/ui/quantities";
import { type Verdict, VerdictBadge } from "~/ui/verdict-badge";
import classes from "./overview.module.css";

interface FigureTileProps {
  name: string;
  value: number | null;
  range: string | null;
  /** Percent of probability of the interval. */
  certainty?: number;
  limit: number | undefined;
  verdict: Verdict | undefined;
}

/** A figure with its interval, and how it stands to its limit. */
export function FigureTile(props: FigureTileProps) {
  const { name, value, range, certainty = 95, limit, verdict } = props;
  const shown = quantity(name);
  return (
    <div className={classes.figure}>
      <dt>{shown.title}</dt>
      <dd>
        <div className={classes.value}>
          {shown.format(value)} <span className={classes.unit}>{unitBeside(shown)}</span>
        </div>
        {range && (
          <div className={classes.note}>
            {certainty}&nbsp;%: {range}
          </div>
        )}
        {limit !== undefined && (
          <Group gap={6} mt={2}>
            {verdict && <VerdictBadge verdict={verdict} />}
            <span className={classes.note}>limit {shown.format(limit)}</span>
          </Group>
        )}
      </dd>
    </div>
  );
}
