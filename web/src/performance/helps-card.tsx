import { Text, Title } from "@mantine/core";
import type { FigureChange, Performance } from "~/api/performance";
import { number } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./performance.module.css";
import { changeInWords, gainInWords, remarksOn } from "./words";

/** Settings that are expected to help, and those that were and did not. */
export function HelpsCard({ found }: { found: Performance }) {
  const { helps, did_not_help: failed, no_setting: stuck } = found;
  return (
    <section className="card card-stack" aria-labelledby="helps">
      <div>
        <Title order={2} fz="md" id="helps">
          What would help
        </Title>
        <Text size="sm" className="quiet">
          {helps.length > 0
            ? "Predicted effect of one change at a time, with 80 % intervals; largest gain first."
            : "No other setting that this engine offers is expected to help."}
        </Text>
      </div>
      {helps.length > 0 && (
        <ScrollingBox label="Table of changes">
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Change</th>
                <th scope="col">tok/s</th>
                <th scope="col">tok/s per GPU</th>
                <th scope="col">TTFT</th>
                <th scope="col">TPOT</th>
              </tr>
            </thead>
            <tbody>
              {helps.map((one) => (
                <tr key={one.candidate}>
                  <th scope="row" className="text-of-users">
                    {changeInWords(one)}
                    <Text size="xs" className="quiet" fw={400}>
                      {remarksOn(one).join("; ")}
                    </Text>
                  </th>
                  <Gain of={one.tok_s} />
                  <Gain of={one.tok_s_per_gpu} />
                  <Gain of={one.ttft_ms} />
                  <Gain of={one.tpot_ms} />
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollingBox>
      )}
      {failed.map((one) => (
        <Text key={one.candidate} size="sm" className="text-of-users">
          {changeInWords(one)} was expected to help but did not: {number(one.measured_tok_s)} tok/s
          measured, {number(one.tok_s.before)} before.
        </Text>
      ))}
      {stuck.length > 0 && (
        <Text size="sm" className="text-of-users">
          No change that was tried shortens {stuck.join(", ")} by much.
        </Text>
      )}
    </section>
  );
}

function Gain({ of }: { of: FigureChange | null }) {
  if (of === null) return <td>–</td>;
  const { gain, interval } = gainInWords(of);
  return (
    <td>
      {gain}
      <Text size="xs" className="quiet">
        {interval}
      </Text>
    </td>
  );
}
