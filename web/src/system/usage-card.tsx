import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { usageQuery } from "~/api/system";
import { duration, gibibytes, number, percent, withUnit } from "~/ui/format";
import { SystemCard } from "./card";
import classes from "./system.module.css";
import { linesOf, peakOf, type Series, seriesOf } from "./usage-series";

const WIDTH = 240;
const HEIGHT = 44;

/** CPUs, memory and GPUs of the service's machine over the last half hour. */
export function UsageCard() {
  const query = useQuery(usageQuery);
  return (
    <SystemCard id="system-usage" title="How busy this machine is" query={query} isWide>
      {(data) => {
        const span = data.every_s * Math.max(0, data.items.length - 1);
        return (
          <>
            <Text size="xs" className="quiet">
              {span === 0
                ? "The first samples are taken."
                : `The last ${duration(span)}, a sample every ${duration(data.every_s)}; engines and everything else count.`}
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
  const peakText = peak === null ? "not known" : percent(peak, 0);
  return (
    <figure className={classes.line}>
      <figcaption>
        <span className="text-of-users">{title}</span>
        <strong>{now === null ? "not known" : value}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${now === null ? "not known" : value} now, ${peakText} at the most`}
      >
        <path d={linesOf(shares, WIDTH, HEIGHT)} vectorEffect="non-scaling-stroke" />
      </svg>
      <span className="quiet text-of-users">
        most {peakText}
        {product && `, ${product}`}
      </span>
    </figure>
  );
}
