import { Text, Title } from "@mantine/core";
import type { Sizing } from "~/api/sizing";
import { count, usd } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import { asSentence } from "~/ui/sentence";
import classes from "./sizing.module.css";

/** GPUs beside each other, and those on which nothing is predicted; nothing where one has all. */
export function GpuTable({ found }: { found: Sizing }) {
  const refused = Object.entries(found.refused);
  if (found.gpus.length < 2 && refused.length === 0) return null;
  return (
    <section className="card card-stack" aria-labelledby="by-gpu">
      <Title order={2} fz="md" id="by-gpu">
        By GPU
      </Title>
      {found.gpus.length > 0 && (
        <ScrollingBox label="Table of GPUs">
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">GPU</th>
                <th scope="col">GPUs</th>
                <th scope="col">USD per hour</th>
                <th scope="col">USD per GPU and hour</th>
                <th scope="col">Candidates that hold it</th>
              </tr>
            </thead>
            <tbody>
              {found.gpus.map((row) => (
                <tr key={row.gpu}>
                  <th scope="row">{row.gpu}</th>
                  <td>{count(row.gpus)}</td>
                  <td>{usd(row.usd_per_hour)}</td>
                  <td>{usd(row.usd_per_gpu_hour)}</td>
                  <td>
                    {count(row.holding)} of {count(row.candidates)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollingBox>
      )}
      {refused.map(([gpu, why]) => (
        <Text key={gpu} size="sm" className="text-of-users">
          <strong>{gpu}</strong> is left out. {asSentence(why)}
        </Text>
      ))}
    </section>
  );
}
