import { Text, Title } from "@mantine/core";
import type { Sizing } from "~/api/sizing";
import { count, usd } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./sizing.module.css";
import { trafficInWords } from "./words";

/** The deployment that is smallest in the last month, month by month. */
export function GrowthCard({ found }: { found: Sizing }) {
  const last = found.growth.at(-1);
  if (last === undefined) return null;
  const name = last.is_baseline ? "the baseline" : last.candidate.slice(0, 7);
  return (
    <section className="card card-stack" aria-labelledby="growth">
      <div>
        <Title order={2} fz="md" id="growth">
          As it grows
        </Title>
        <Text size="sm" className="quiet">
          With {name} on {last.gpu}, which is smallest in month {last.month}.
        </Text>
      </div>
      <ScrollingBox label="Table of months" className={classes.months}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Month</th>
              <th scope="col">Traffic</th>
              <th scope="col">Replicas</th>
              <th scope="col">GPUs</th>
              <th scope="col">USD per hour</th>
            </tr>
          </thead>
          <tbody>
            {found.growth.map((month) => (
              <tr key={month.month}>
                <th scope="row">{month.month === 0 ? "now" : month.month}</th>
                <td>{trafficInWords(month.traffic)}</td>
                <td>{count(month.replicas)}</td>
                <td>{month.gpus === 0 ? "–" : count(month.gpus)}</td>
                <td>{usd(month.usd_per_hour)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollingBox>
    </section>
  );
}
