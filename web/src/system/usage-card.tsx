import { NativeSelect, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { usageQuery } from "~/api/system";
import { duration, gibibytes, number, percent, withUnit } from "~/ui/format";
import { SystemCard } from "./card";
import classes from "./system.module.css";
import { evenly, linesOf, peakOf, type Series, seriesOf } from "./usage-series";

const WIDTH = 240;
const HEIGHT = 44;

/** CPUs, memory and GPUs over the last half hour: of the service's machine, or of a worker's. */
export function UsageCard() {
  const [host, setHost] = useState<string | null>(null);
  // The service's machine is asked for anyway: it knows of the others.
  const own = useQuery(usageQuery());
  const query = useQuery(usageQuery(host));
  const [here, ...others] = own.data?.hosts ?? [];
  const known = host === null || others.includes(host) ? others : [...others, host];
  return (
    <SystemCard
      id="system-usage"
      title="Machine usage"
      query={query}
      isWide
      aside={
        known.length > 0 && (
          <NativeSelect
            size="xs"
            aria-label="Machine"
            value={host ?? ""}
            onChange={(event) => setHost(event.currentTarget.value || null)}
            data={[
              { value: "", label: `${here} (the service's)` },
              ...known.map((name) => ({ value: name, label: name })),
            ]}
          />
        )
      }
    >
      {(data) => {
        const span = data.every_s * Math.max(0, evenly(data).length - 1);
        return (
          <>
            <Text size="xs" className="quiet">
              {span === 0
                ? "The first samples are being taken."
                : `The last ${duration(span)}, one sample every ${duration(data.every_s)}. Everything that runs on the machine counts, not only engines.`}
            </Text>
            <div className={classes.series}>
              {seriesOf(data).map((series) => (
                <Line key={series.id} series={series} />
              ))}
            </div>
          </>
        );
      }}
    </SystemCard>
  );
}

function Line({ series }: { series: Series }) {
  const { title, product, shares, now, most, unit } = series;
  const peak = peakOf(shares);
  const value =
    unit === "%" ? withUnit(number(now), "%") : `${gibibytes(now)} of ${gibibytes(most)}`;
  const peakText = peak === null ? "unknown" : percent(peak, 0);
  return (
    <figure className={classes.line}>
      <figcaption>
        <span className="text-of-users">{title}</span>
        <strong>{now === null ? "unknown" : value}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${now === null ? "unknown" : value} now, peak ${peakText}`}
      >
        <path d={linesOf(shares, WIDTH, HEIGHT)} vectorEffect="non-scaling-stroke" />
      </svg>
      <span className="quiet text-of-users">
        peak {peakText}
        {product && `, ${product}`}
      </span>
    </figure>
  );
}
