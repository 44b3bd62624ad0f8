import { Group, Text } from "@mantine/core";
import { memo } from "react";
import { toValue } from "~/charts/scale";
import { NumberField } from "~/ui/number-field";
import { withUnit } from "~/ui/quantities";
import type { Plane } from "./axes";
import { pointName } from "./describe-point";
import type { PointSet } from "./point-set";
import type { Reading } from "./reading";
import classes from "./slo-panel.module.css";

interface ValueAtPanelProps {
  set: PointSet;
  plane: Plane;
  at: number | null;
  reading: Reading | null;
  onAt: (at: number | null) => void;
  onPick: (id: string) => void;
}

/** "Best throughput at 50 tok/s per user": read off the frontier, and marked where nothing was measured. */
export const ValueAtPanel = memo(function ValueAtPanel(props: ValueAtPanelProps) {
  const { set, plane, at, reading, onAt, onPick } = props;
  const { x, y } = plane;
  const bound = x.better === "higher" ? "at least" : "at most";
  return (
    <Group gap="sm" align="flex-end">
      <NumberField
        label={`Best ${y.short} at`}
        size="xs"
        w={190}
        rule={{ above: 0 }}
        unit={x.unit}
        placeholder="any"
        value={at}
        onChange={onAt}
      />
      <Text size="sm" aria-live="polite" className={classes.verdict}>
        {at !== null && reading === null && (
          <span className={classes.nothing}>
            No point has {bound} {withUnit(x, at)}.
          </span>
        )}
        {reading !== null && (
          <>
            {reading.found.isInterpolated ? "About " : ""}
            <strong>{withUnit(y, toValue(reading.found.y, plane.logY))}</strong>
            {reading.found.isInterpolated ? ", interpolated between " : ", "}
            {reading.kind === "predicted" && !reading.found.isInterpolated && "predicted, "}
            {reading.found.neighbours.map((index, place) => {
              const point = set.points[index];
              if (!point) return null;
              return (
                <span key={point.id}>
                  {place > 0 && " and "}
                  <button type="button" className={classes.point} onClick={() => onPick(point.id)}>
                    {pointName(point)}
                  </button>{" "}
                  <span className="quiet">({withUnit(x, point.figures[x.key]?.value)})</span>
                </span>
              );
            })}
            {reading.kind === "predicted" && ". Nothing was measured yet."}
          </>
        )}
      </Text>
    </Group>
  );
});
