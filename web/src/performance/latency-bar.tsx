import { Text } from "@mantine/core";
import type { Latency, Limit, Performance } from "~/api/performance";
import { milliseconds, percent } from "~/ui/format";
import classes from "./performance.module.css";
import { isExplained, LIMITS, limitsInWords, QUANTITIES, shareOf } from "./words";

interface LatencyBarProps {
  latency: Latency;
  found: Performance;
}

/** A latency as a bar of its parts, those with one limit side by side. */
export function LatencyBar({ latency, found }: LatencyBarProps) {
  const { quantity, limits, value_ms: value } = latency;
  const { title } = QUANTITIES[quantity];
  const shares = Object.entries(limits) as [Limit, number][];
  const words = shares.map(([limit, share]) => `${limit} ${percent(share, 0)}`).join(", ");
  return (
    <div className={classes.latency}>
      <Text fw={600}>
        {title}: {milliseconds(value)}{" "}
        <span className="quiet">{found.measured ? "measured" : "predicted"}</span>
      </Text>
      <div className={classes.bar} role="img" aria-label={`${title} by what limits it: ${words}`}>
        {shares.map(([limit]) =>
          found.parts
            .filter((part) => part.limit === limit && shareOf(part, quantity) > 0)
            .map((part) => (
              <span
                key={part.part}
                className={classes.part}
                data-limit={limit}
                style={{ flexGrow: shareOf(part, quantity) }}
                title={`${part.what}: ${percent(shareOf(part, quantity), 0)}`}
              />
            )),
        )}
      </div>
      <ul className={classes.legend}>
        {shares.map(([limit, share]) => (
          <li key={limit}>
            <span className={classes.sign} data-limit={limit} aria-hidden />
            <span>
              {LIMITS[limit].title} <strong>{percent(share, 0)}</strong>{" "}
              <span className="quiet">{LIMITS[limit].meaning}</span>
            </span>
          </li>
        ))}
      </ul>
      <Text size="sm">{limitsInWords(limits)}</Text>
      <Text size="xs" className="quiet">
        The parts add up to {milliseconds(latency.learnt_ms)} ({milliseconds(latency.learnt_low_ms)}{" "}
        to {milliseconds(latency.learnt_high_ms)}).
        {found.measured &&
          !isExplained(latency) &&
          " What was measured lies outside: the shares are a rough guide here."}
      </Text>
    </div>
  );
}
