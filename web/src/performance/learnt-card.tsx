import { Badge, Text, Title } from "@mantine/core";
import type { Performance } from "~/api/performance";
import { device, unbroken } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import classes from "./performance.module.css";

/** What launches taught of this machine with this engine; nothing where nothing is learnt. */
export function LearntCard({ found }: { found: Performance }) {
  if (found.machine.length === 0) return null;
  return (
    <section className="card card-stack" aria-labelledby="learnt">
      <div>
        <Title order={2} fz="md" id="learnt">
          What was learnt of the machine
        </Title>
        <Text size="sm" className="quiet">
          {device(found.device)} with {found.engine}, from every launch that had the part; most
          certain first, with 80 % intervals.
        </Text>
      </div>
      <ul className={classes.learnt}>
        {found.machine.map(({ part, text, surprising, doubtful }) => (
          <li key={part}>
            {asSentence(unbroken(text))}{" "}
            {doubtful ? (
              <Badge size="sm" variant="outline" color="orange" tt="none">
                doubtful: above the peak
              </Badge>
            ) : (
              surprising && (
                <Badge size="sm" variant="outline" tt="none">
                  differs from the assumption
                </Badge>
              )
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
