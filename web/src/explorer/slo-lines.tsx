import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import type { Area } from "~/charts/pen";
import { placeAt, type Span, shareOf, toPlace, toValue } from "~/charts/scale";
import { milliseconds } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { type AxisLimit, axisLimit, type Plane } from "./axes";
import type { Spans } from "./frame";
import type { Limits } from "./slo";
import classes from "./slo-lines.module.css";

interface SloLinesProps {
  plane: Plane;
  spans: Spans;
  area: Area;
  limits: Limits;
  onLimit: (name: string, limit: number) => void;
}

/** The limits that lie on the axes shown: lines to drag, and beyond them what misses them. */
export function SloLines({ plane, spans, area, limits, onLimit }: SloLinesProps) {
  return (["x", "y"] as const).map((side) => {
    const limit = axisLimit(plane[side]);
    const value = limit && limits[limit.name];
    if (!limit || !value) return null;
    return (
      <SloLine
        key={side}
        side={side}
        limit={limit}
        value={value}
        isLog={side === "x" ? plane.logX : plane.logY}
        isBelow={plane[side].better === "higher"}
        span={spans[side]}
        area={area}
        onLimit={onLimit}
      />
    );
  });
}

interface SloLineProps {
  side: "x" | "y";
  limit: AxisLimit;
  /** In ms. */
  value: number;
  isLog: boolean;
  /** Whether what misses it lies below the line. */
  isBelow: boolean;
  span: Span;
  area: Area;
  onLimit: (name: string, limit: number) => void;
}

const STEP = 0.02;

function SloLine({ side, limit, value, isLog, isBelow, span, area, onLimit }: SloLineProps) {
  const isDragged = useRef(false);
  const share = shareOf(span, toPlace(limit.toAxis(value), isLog));
  const clamped = Math.min(1, Math.max(0, share));
  const isInView = share >= 0 && share <= 1;
  const isUpright = side === "x";

  function onPointerMove(event: PointerEvent<HTMLElement>) {
    if (!isDragged.current) return;
    event.stopPropagation();
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (!box) return;
    const along = isUpright
      ? (event.clientX - box.left - area.left) / area.width
      : 1 - (event.clientY - box.top - area.top) / area.height;
    const onAxis = toValue(placeAt(span, Math.min(0.999, Math.max(0.001, along))), isLog);
    const next = limit.toLimit(onAxis);
    if (next > 0 && Number.isFinite(next)) onLimit(limit.name, rounded(next));
  }

  function onKeyDown(event: KeyboardEvent) {
    const up = event.key === "ArrowUp" || event.key === "ArrowRight";
    if (!up && event.key !== "ArrowDown" && event.key !== "ArrowLeft") return;
    event.preventDefault();
    event.stopPropagation();
    onLimit(limit.name, rounded(value * (up ? 1 + STEP : 1 - STEP)));
  }

  const line = isUpright
    ? { left: area.left + clamped * area.width, top: area.top, height: area.height }
    : { left: area.left, top: area.top + (1 - clamped) * area.height, width: area.width };
  const text = `${quantity(limit.name).short} ≤ ${milliseconds(value)}`;
  return (
    <>
      <span className={classes.beyond} style={beyond(isUpright, isBelow, clamped, area)} />
      {isInView && (
        <div
          className={classes.line}
          data-side={side}
          style={line}
          role="slider"
          tabIndex={0}
          aria-label={`SLO: ${quantity(limit.name).title}`}
          aria-orientation={isUpright ? "horizontal" : "vertical"}
          aria-valuenow={value}
          aria-valuetext={milliseconds(value)}
          onKeyDown={onKeyDown}
          onPointerDown={(event) => {
            event.stopPropagation();
            isDragged.current = true;
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={onPointerMove}
          onPointerUp={(event) => {
            event.stopPropagation();
            isDragged.current = false;
          }}
          onPointerCancel={() => {
            isDragged.current = false;
          }}
          onDoubleClick={(event) => event.stopPropagation()}
        >
          <span className={classes.label} data-flip={clamped > 0.7 || undefined}>
            {text}
          </span>
        </div>
      )}
    </>
  );
}

/** The part of the plot beyond a limit. */
function beyond(isUpright: boolean, isBelow: boolean, share: number, area: Area) {
  if (isUpright) {
    const at = share * area.width;
    const width = isBelow ? at : area.width - at;
    return { left: area.left + (isBelow ? 0 : at), width, top: area.top, height: area.height };
  }
  const at = (1 - share) * area.height;
  const height = isBelow ? area.height - at : at;
  return { left: area.left, width: area.width, top: area.top + (isBelow ? at : 0), height };
}

const rounded = (limit: number): number => Number(limit.toPrecision(3));
