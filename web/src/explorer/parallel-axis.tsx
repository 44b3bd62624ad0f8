import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { number } from "~/ui/format";
import type { Brush } from "./brushes";
import { type Dimension, type Extent, extentOf, labelsOf, stepOf } from "./dimensions";
import classes from "./parallel.module.css";

interface ParallelAxisProps {
  dimension: Dimension;
  brush: Brush | undefined;
  left: number;
  top: number;
  bottom: number;
  onExtent: (extent: Extent) => void;
}

type Grip = "low" | "high" | "both" | "new";
const NEAR_PX = 9;
const NARROWEST = 0.01;

/** An axis with its values and its brush: drag along it, or move the two ends by keys. */
export function ParallelAxis(props: ParallelAxisProps) {
  const { dimension, brush, left, top, bottom, onExtent } = props;
  const height = bottom - top;
  const extent = extentOf(dimension, brush);
  const press = useRef<{ grip: Grip; at: number; extent: Extent } | null>(null);
  const isBrushed = brush !== undefined;

  function shareOf(event: PointerEvent<HTMLElement>): number {
    const box = event.currentTarget.getBoundingClientRect();
    return clamped(1 - (event.clientY - box.top) / box.height);
  }

  function onPointerDown(event: PointerEvent<HTMLElement>) {
    if (event.button !== 0) return;
    const at = shareOf(event);
    press.current = { grip: gripAt(at, extent, isBrushed, NEAR_PX / height), at, extent };
    event.currentTarget.setPointerCapture(event.pointerId);
  }

  function onPointerMove(event: PointerEvent<HTMLElement>) {
    const started = press.current;
    if (started === null) return;
    const at = shareOf(event);
    if (started.grip === "new" && Math.abs(at - started.at) < 3 / height) return;
    onExtent(moved(started.grip, started.extent, started.at, at));
  }

  const end = () => {
    press.current = null;
  };
  return (
    <div className={classes.axis} style={{ left, top, height }}>
      <div className={classes.title} title={dimension.name}>
        {dimension.title}
      </div>
      {labelsOf(dimension).map(({ position, text }) => (
        <span
          key={position}
          className={classes.label}
          style={{ top: `${100 * (1 - position)}%` }}
          title={text}
        >
          {text}
        </span>
      ))}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: its two ends are what keys and readers use. */}
      <div
        className={classes.rail}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={end}
        onPointerCancel={end}
        onDoubleClick={() => onExtent({ low: 0, high: 1 })}
      >
        {isBrushed && (
          <span
            className={classes.brush}
            style={{
              top: `${100 * (1 - extent.high)}%`,
              height: `${100 * Math.max(NARROWEST, extent.high - extent.low)}%`,
            }}
          />
        )}
      </div>
      <End
        end="low"
        dimension={dimension}
        extent={extent}
        isBrushed={isBrushed}
        onExtent={onExtent}
      />
      <End
        end="high"
        dimension={dimension}
        extent={extent}
        isBrushed={isBrushed}
        onExtent={onExtent}
      />
    </div>
  );
}

interface EndProps {
  end: "low" | "high";
  dimension: Dimension;
  extent: Extent;
  isBrushed: boolean;
  onExtent: (extent: Extent) => void;
}

/** An end of the brush, for keys; it stands at the end of the axis while nothing is marked. */
function End({ end, dimension, extent, isBrushed, onExtent }: EndProps) {
  function onKeyDown(event: KeyboardEvent) {
    const up = event.key === "ArrowUp" || event.key === "ArrowRight";
    const down = event.key === "ArrowDown" || event.key === "ArrowLeft";
    if (event.key === "Escape") onExtent({ low: 0, high: 1 });
    if (!up && !down) return;
    event.preventDefault();
    const by = up ? stepOf(dimension) : -stepOf(dimension);
    const next = { ...extent, [end]: clamped(extent[end] + by) };
    if (next.low < next.high) onExtent(next);
  }
  return (
    <span
      className={classes.end}
      style={{ top: `${100 * (1 - extent[end])}%` }}
      data-brushed={isBrushed || undefined}
      role="slider"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`${dimension.title}, ${end === "low" ? "lower" : "upper"} end of the selection`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * extent[end])}
      aria-valuetext={textAt(dimension, extent, end)}
      onKeyDown={onKeyDown}
    />
  );
}

function textAt(dimension: Dimension, extent: Extent, end: "low" | "high"): string {
  const labels = labelsOf(dimension);
  const inside = labels.filter(
    ({ position }) => position >= extent.low - 0.001 && position <= extent.high + 0.001,
  );
  return (end === "low" ? inside[0] : inside.at(-1))?.text ?? `${number(100 * extent[end])} %`;
}

const clamped = (share: number): number => Math.min(1, Math.max(0, share));

/** What a press takes hold of: an end that is near, the brush itself, or nothing yet. */
function gripAt(at: number, { low, high }: Extent, isBrushed: boolean, near: number): Grip {
  if (!isBrushed) return "new";
  if (Math.abs(at - high) <= near) return "high";
  if (Math.abs(at - low) <= near) return "low";
  return at > low && at < high ? "both" : "new";
}

function moved(grip: Grip, { low, high }: Extent, from: number, to: number): Extent {
  switch (grip) {
    case "new":
      return { low: Math.min(from, to), high: Math.max(from, to) };
    case "both": {
      const by = Math.min(1 - high, Math.max(-low, to - from));
      return { low: low + by, high: high + by };
    }
    case "low":
      return { low: Math.min(to, high), high: Math.max(to, high) };
    case "high":
      return { low: Math.min(to, low), high: Math.max(to, low) };
  }
}
