import { IconStarFilled } from "@tabler/icons-react";
import type { OperatingPoint } from "~/api/points";
import type { Size } from "~/charts/plot";
import { number } from "~/ui/format";
import type { Quantity } from "~/ui/quantities";
import { withUnit } from "~/ui/quantities";
import type { Plane } from "./axes";
import { pointName, settingsInWords } from "./describe-point";
import classes from "./hover-note.module.css";
import { type Limits, verdict } from "./slo";

interface HoverNoteProps {
  point: OperatingPoint;
  plane: Plane;
  varying: readonly string[];
  limits: Limits;
  /** How it stands to the baseline; null where it is not compared. */
  against: string | null;
  left: number;
  top: number;
  size: Size;
}

const VERDICTS = {
  meets: "meets the SLO",
  unclear: "unclear: a limit lies inside the interval",
  misses: "misses the SLO",
} as const;

/** What a point is, beside it. It follows the pointer; a click pins the point as a card. */
export function HoverNote(props: HoverNoteProps) {
  const { point, plane, varying, limits, against, left, top, size } = props;
  const hasLimits = Object.keys(limits).length > 0;
  return (
    <div
      className={classes.note}
      style={{ left, top }}
      data-side={left > size.width / 2 ? "left" : "right"}
      data-up={top > size.height / 2 || undefined}
    >
      <strong>{pointName(point)}</strong>
      {point.on_frontier && (
        <IconStarFilled size={10} aria-label="on the task's frontier" className={classes.star} />
      )}
      <FigureRow axis={plane.x} point={point} />
      <FigureRow axis={plane.y} point={point} />
      {against && <div>{against}</div>}
      {varying.length > 0 && (
        <div className={`text-of-users ${classes.settings}`}>{settingsInWords(point, varying)}</div>
      )}
      {hasLimits && <div>{VERDICTS[verdict(point, limits)]}</div>}
      {!point.is_steady && <div>not steady: no operating point</div>}
      {point.note && <div className={`text-of-users ${classes.settings}`}>{point.note}</div>}
    </div>
  );
}

/** A figure of a point and its interval. */
export function FigureRow({ axis, point }: { axis: Quantity; point: OperatingPoint }) {
  const figure = point.figures[axis.key];
  return (
    <div className={classes.row}>
      <span>{axis.short}</span>
      <span>
        {withUnit(axis, figure?.value)}
        {figure?.low != null && figure.high != null && (
          <span className="quiet">
            {" "}
            ({number(figure.low)} to {number(figure.high)})
          </span>
        )}
      </span>
    </div>
  );
}
