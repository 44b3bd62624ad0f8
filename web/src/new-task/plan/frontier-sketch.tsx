import { Text } from "@mantine/core";
import { useMemo, useState } from "react";
import type { Plan, PlannedPoint } from "~/api/plans";
import { load, number } from "~/ui/format";
import { quantity, withUnit } from "~/ui/quantities";
import classes from "./plan.module.css";
import { type SketchPoint, sketchOf } from "./sketch-layout";

const SIZE = { width: 360, height: 190, left: 46, right: 12, top: 24, bottom: 34 };

interface FrontierSketchProps {
  prediction: Plan["prediction"];
}

/** The predicted frontier with the recommended point; the table beneath has the same. */
export function FrontierSketch({ prediction }: FrontierSketchProps) {
  const { frontier, recommended } = prediction;
  const [pointed, setPointed] = useState<SketchPoint | null>(null);
  const sketch = useMemo(() => {
    const isRecommended = (point: PlannedPoint) =>
      point.candidate === recommended?.candidate &&
      point.load.kind === recommended.load.kind &&
      point.load.value === recommended.load.value;
    return sketchOf(frontier, isRecommended, SIZE);
  }, [frontier, recommended]);
  const x = quantity(sketch.xKey);
  const y = quantity(sketch.yKey);
  const shown = pointed ?? sketch.points.find((each) => each.isRecommended) ?? null;
  return (
    <figure className={classes.figure}>
      <svg
        viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
        role="img"
        aria-label={`Predicted frontier: ${frontier.length} points, ${y.short} over ${x.short}`}
        onPointerLeave={() => setPointed(null)}
      >
        {sketch.yTicks.map((tick) => (
          <g key={tick.value}>
            <line
              className={classes.grid}
              x1={SIZE.left}
              x2={SIZE.width - SIZE.right}
              y1={tick.at}
              y2={tick.at}
            />
            <text className={classes.tick} x={SIZE.left - 6} y={tick.at + 3} textAnchor="end">
              {number(tick.value)}
            </text>
          </g>
        ))}
        {sketch.xTicks.map((tick) => (
          <text
            key={tick.value}
            className={classes.tick}
            x={tick.at}
            y={SIZE.height - SIZE.bottom + 14}
            textAnchor="middle"
          >
            {number(tick.value)}
          </text>
        ))}
        <text
          className={classes.axis}
          x={SIZE.width - SIZE.right}
          y={SIZE.height - 4}
          textAnchor="end"
        >
          {x.short} {x.better === "higher" ? "→" : "←"} better
        </text>
        <text className={classes.axis} x={2} y={11}>
          {y.short} ↑ better
        </text>
        <polyline className={classes.line} points={sketch.line} />
        {sketch.points.map((each) => (
          <circle
            key={`${each.point.candidate}:${each.point.load.kind}:${each.point.load.value}`}
            className={each.isRecommended ? classes.recommended : classes.point}
            cx={each.x}
            cy={each.y}
            r={each.isRecommended ? 5.5 : each === pointed ? 4.5 : 3}
            onPointerEnter={() => setPointed(each)}
          />
        ))}
      </svg>
      <Text component="figcaption" size="xs" className="quiet" mih="2.6em">
        {shown && (
          <>
            {shown.isRecommended ? "Recommended by prediction: " : ""}
            {withUnit(x, shown.point[sketch.xKey])}, {withUnit(y, shown.point[sketch.yKey])} at{" "}
            {load(shown.point.load)}
          </>
        )}
      </Text>
    </figure>
  );
}
