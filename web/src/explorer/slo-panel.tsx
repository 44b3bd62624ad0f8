import { Button, Group, NumberInput, Text } from "@mantine/core";
import { IconArrowBackUp, IconStarFilled } from "@tabler/icons-react";
import { memo, useCallback, useRef } from "react";
import { count } from "~/ui/format";
import { type Quantity, quantity } from "~/ui/quantities";
import { axisLimit } from "./axes";
import { pointName } from "./describe-point";
import type { PointSet } from "./point-set";
import { LIMITED, type Limits, type Recommendation } from "./slo";
import classes from "./slo-panel.module.css";
import type { Feasible } from "./use-exploration";

interface SloPanelProps {
  set: PointSet;
  x: Quantity;
  y: Quantity;
  limits: Limits;
  measured: Feasible;
  predicted: Feasible;
  recommendation: Recommendation | null;
  /** Whether the limits in force are no longer those of the task. */
  isChanged: boolean;
  onLimits: (limits: Limits | null) => void;
  onPick: (id: string) => void;
}

/** Limits as numbers, how much of what was seen meets them, and the point to serve with. */
export const SloPanel = memo(function SloPanel(props: SloPanelProps) {
  const { set, x, y, limits, measured, predicted, recommendation } = props;
  const { isChanged, onLimits, onPick } = props;
  const onAxes = [x, y].flatMap((axis) => axisLimit(axis)?.name ?? []);
  const names = [...new Set([...LIMITED, ...Object.keys(limits), ...onAxes])].filter(
    (name) => set.has(name) || name in limits,
  );
  const point = recommendation && set.points[recommendation.index];

  const latest = useRef(limits);
  latest.current = limits;
  const change = useCallback(
    (name: string, limit: number | null) => {
      const { [name]: _, ...others } = latest.current;
      onLimits(limit === null ? others : { ...others, [name]: limit });
    },
    [onLimits],
  );

  return (
    <div className={classes.panel}>
      <Group gap="sm" align="flex-end">
        {names.map((name) => (
          <LimitInput key={name} name={name} limit={limits[name] ?? null} onChange={change} />
        ))}
        {isChanged && (
          <Button
            size="xs"
            variant="subtle"
            leftSection={<IconArrowBackUp size={14} aria-hidden />}
            onClick={() => onLimits(null)}
          >
            The task's SLO
          </Button>
        )}
      </Group>
      <div className={classes.verdict} aria-live="polite">
        {Object.keys(limits).length > 0 && (
          <Text size="sm">
            <Meeting feasible={measured} kind="measured" />
            {measured.total > 0 && predicted.total > 0 && " and "}
            <Meeting feasible={predicted} kind="predicted" />
            {" meet the SLO"}
          </Text>
        )}
        {point && recommendation && (
          <Text size="sm">
            <IconStarFilled size={12} aria-hidden className={classes.star} />{" "}
            {recommendation.meetsSlo && (
              <button type="button" className={classes.point} onClick={() => onPick(point.id)}>
                {pointName(point)}
              </button>
            )}
            {recommendation.meetsSlo && ": "}
            <span className={recommendation.meetsSlo ? undefined : classes.nothing}>
              {recommendation.meetsSlo ? lowerFirst(recommendation.reason) : recommendation.reason}
            </span>
            {!recommendation.meetsSlo && (
              <>
                {" "}
                <button type="button" className={classes.point} onClick={() => onPick(point.id)}>
                  ({pointName(point)})
                </button>
              </>
            )}
          </Text>
        )}
      </div>
    </div>
  );
});

function Meeting({ feasible, kind }: { feasible: Feasible; kind: string }) {
  if (feasible.total === 0) return null;
  return (
    <>
      <strong>{count(feasible.meeting)}</strong> of {count(feasible.total)} {kind} points
    </>
  );
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

interface LimitInputProps {
  name: string;
  /** In ms. */
  limit: number | null;
  onChange: (name: string, limit: number | null) => void;
}

/** While one limit is dragged, the fields of the others stay as they are. */
const LimitInput = memo(function LimitInput({ name, limit, onChange }: LimitInputProps) {
  return (
    <NumberInput
      label={`${quantity(name).short} at most`}
      size="xs"
      w={128}
      min={0}
      allowNegative={false}
      step={limit ? Math.max(0.1, Number((limit / 20).toPrecision(1))) : 10}
      suffix=" ms"
      thousandSeparator=","
      placeholder="no limit"
      value={limit ?? ""}
      onChange={(value) => onChange(name, Number(value) > 0 ? Number(value) : null)}
    />
  );
});
