import { Text } from "@mantine/core";
import { IconStarFilled } from "@tabler/icons-react";
import { memo } from "react";
import { count } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import { pointName } from "./describe-point";
import { LimitInputs } from "./limit-inputs";
import type { PointSet } from "./point-set";
import type { Limits, Recommendation } from "./slo";
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
  /** Name of the limits that are given back; null while they are in force. */
  usual: string | null;
  onLimits: (limits: Limits | null) => void;
  onPick: (id: string) => void;
}

/** Limits as numbers, how much of what was seen meets them, and the point to serve with. */
export const SloPanel = memo(function SloPanel(props: SloPanelProps) {
  const { set, x, y, limits, measured, predicted, recommendation } = props;
  const { usual, onLimits, onPick } = props;
  const point = recommendation && set.points[recommendation.index];

  return (
    <div className={classes.panel}>
      <LimitInputs
        has={(name) => set.has(name)}
        x={x}
        y={y}
        limits={limits}
        usual={usual}
        onLimits={onLimits}
      />
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
