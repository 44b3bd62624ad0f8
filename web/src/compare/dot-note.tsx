import type { OperatingPoint } from "~/api/points";
import type { Size } from "~/charts/plot";
import type { Plane } from "~/explorer/axes";
import { settingsInWords } from "~/explorer/describe-point";
import { FigureRow } from "~/explorer/hover-note";
import classes from "~/explorer/hover-note.module.css";
import { dotName } from "./dots";

interface DotNoteProps {
  name: string;
  point: OperatingPoint;
  plane: Plane;
  /** Settings in which points differ. */
  varying: readonly string[];
  left: number;
  top: number;
  size: Size;
}

/** What the dot under the pointer is: its series, settings and figures. */
export function DotNote({ name, point, plane, varying, left, top, size }: DotNoteProps) {
  const own = varying.filter((path) => path in point.settings);
  return (
    <div
      className={classes.note}
      style={{ left, top }}
      data-side={left > size.width / 2 ? "left" : "right"}
      data-up={top > size.height / 2 || undefined}
    >
      <strong className="text-of-users">{name}</strong>
      <div className="text-of-users">{dotName(point)}</div>
      <FigureRow axis={plane.x} point={point} />
      <FigureRow axis={plane.y} point={point} />
      {own.length > 0 && (
        <div className={`text-of-users ${classes.settings}`}>{settingsInWords(point, own)}</div>
      )}
      {point.note && <div className={`text-of-users ${classes.settings}`}>{point.note}</div>}
    </div>
  );
}
