import { IconStar } from "@tabler/icons-react";
import { usePalette } from "~/charts/palette";
import classes from "./legend.module.css";
import type { View } from "./search-params";
import type { Exploration } from "./use-exploration";

interface LegendProps {
  exploration: Exploration;
  view: Pick<View, "kind" | "colorByOrder">;
}

/** What marks and lines mean: each differs in shape, not in colour alone. */
export function Legend({ exploration, view }: LegendProps) {
  const palette = usePalette();
  const { limits, scene, reference } = exploration;
  const isShown = (kind: "measured" | "predicted") =>
    exploration[kind].total > 0 && (view.kind === "both" || view.kind === kind);
  const hasFrontier = (kind: "measured" | "predicted") =>
    isShown(kind) && scene.frontiers[kind].length > 1;
  return (
    <ul className={classes.legend} aria-label="Legend">
      {isShown("measured") && (
        <li>
          <Mark>
            <circle cx="7" cy="6" r="4.5" fill={palette.measured} />
          </Mark>
          measured
        </li>
      )}
      {isShown("predicted") && (
        <li>
          <Mark>
            <path d="M7 0.5L12.5 6L7 11.5L1.5 6Z" fill={palette.predicted} />
          </Mark>
          predicted
        </li>
      )}
      {hasFrontier("measured") && (
        <li>
          <Mark wide>
            <path d="M1 6H25" stroke={palette.measured} strokeWidth="2" />
          </Mark>
          frontier
        </li>
      )}
      {hasFrontier("predicted") && (
        <li>
          <Mark wide>
            <path d="M1 6H25" stroke={palette.predicted} strokeWidth="1.5" strokeDasharray="6 4" />
          </Mark>
          predicted frontier
        </li>
      )}
      {Object.keys(limits).length > 0 && (
        <li>
          <Mark>
            <circle cx="7" cy="6" r="4.5" fill={palette.outside} />
          </Mark>
          outside the SLO
        </li>
      )}
      {reference && (
        <li>
          <Mark wide>
            <path d="M0 6H26" stroke={palette.ring} strokeWidth="1.5" strokeDasharray="2 4" />
            <rect
              {...{ x: 8, y: 1, width: 10, height: 10, stroke: palette.ring, strokeWidth: 2 }}
              fill={palette.surface}
            />
          </Mark>
          baseline: {reference.name}
        </li>
      )}
      {exploration.recommendation && (
        <li>
          <IconStar size={14} aria-hidden />{" "}
          {exploration.recommendation.meetsSlo ? "recommended" : "nearest to the SLO"}
        </li>
      )}
      {view.colorByOrder && (
        <li>
          first
          <Mark wide>
            {palette.order.map((color, place) => (
              <rect key={color} x={place * 3.7} y="2" width="3.7" height="8" fill={color} />
            ))}
          </Mark>
          last launch
        </li>
      )}
    </ul>
  );
}

function Mark({ children, wide = false }: { children: React.ReactNode; wide?: boolean }) {
  return (
    <svg width={wide ? 26 : 14} height="12" aria-hidden="true">
      {children}
    </svg>
  );
}
