import { Button, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { Latency, Performance, PerformancePart } from "~/api/performance";
import { counted, milliseconds, percent } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./performance.module.css";
import { QUANTITIES, reachInWords, shareOf, sourceInWords } from "./words";

const LEAST_SHARE = 0.01;

/** The parts of both latencies, and the rate that each of them reaches. */
export function PartsCard({ found }: { found: Performance }) {
  const [showsAll, setShowsAll] = useState(false);
  const quantities = found.latencies.map(({ quantity }) => quantity);
  const isLarge = (part: PerformancePart) =>
    quantities.some((quantity) => shareOf(part, quantity) >= LEAST_SHARE);
  const large = found.parts.filter(isLarge);
  const shown = showsAll ? found.parts : large;
  const small = found.parts.length - large.length;
  return (
    <section className="card card-stack" aria-labelledby="parts">
      <div>
        <Title order={2} fz="md" id="parts">
          The parts
        </Title>
        <Text size="sm" className="quiet">
          What is done, how long it takes, and how fast it is: learnt from launches where possible,
          otherwise assumed from{" "}
          {found.on_cpu ? "what calibrate-device measured" : "the data sheet"}.
        </Text>
      </div>
      <ScrollingBox label="Table of parts">
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col" className={classes.limit}>
                Limited by
              </th>
              {quantities.map((quantity) => (
                <th key={quantity} scope="col">
                  {QUANTITIES[quantity].short}
                </th>
              ))}
              <th scope="col" className={classes.words}>
                Rate reached
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((part) => (
              <tr key={part.part}>
                <th scope="row">{part.what}</th>
                <td className={classes.limit}>
                  <span className={classes.sign} data-limit={part.limit} aria-hidden /> {part.limit}
                </td>
                {quantities.map((quantity) => (
                  <td key={quantity}>
                    <Share part={part} quantity={quantity} />
                  </td>
                ))}
                <td className={classes.words}>
                  {reachInWords(part)}
                  <Text size="xs" className="quiet">
                    {sourceInWords(part)}
                  </Text>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollingBox>
      {small > 0 && (
        <Button
          size="compact-sm"
          variant="subtle"
          justify="start"
          w="fit-content"
          aria-expanded={showsAll}
          onClick={() => setShowsAll(!showsAll)}
        >
          {showsAll ? "Hide" : "Show"} {counted(small, "smaller part")}
        </Button>
      )}
    </section>
  );
}

function Share({ part, quantity }: { part: PerformancePart; quantity: Latency["quantity"] }) {
  const share = shareOf(part, quantity);
  if (share === 0) return "–";
  return (
    <>
      {milliseconds(part[quantity])}{" "}
      <span className="quiet">{percent(share, share < 0.01 ? 1 : 0)}</span>
    </>
  );
}
