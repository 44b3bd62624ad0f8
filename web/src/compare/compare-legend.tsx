import { ActionIcon, Tooltip, useComputedColorScheme } from "@mantine/core";
import { IconArrowBarToLeft, IconX } from "@tabler/icons-react";
import { counted } from "~/ui/format";
import { TaskLink } from "~/ui/task-link";
import classes from "./compare.module.css";
import type { Mark } from "./mixture";
import { DASHES, type Look, looks, type Stroke } from "./plane-option";
import type { Series } from "./series";

interface CompareLegendProps {
  series: readonly Series[];
  marks: readonly (readonly Mark[])[];
  strokes: readonly Stroke[];
  onFirst: (one: Series) => void;
  onRemove: (one: Series) => void;
}

/** The series by name and look; what is predicted, of something else, or does not say of what, says so. */
export function CompareLegend({ series, marks, strokes, onFirst, onRemove }: CompareLegendProps) {
  const given = looks(strokes, useComputedColorScheme("light") === "dark");
  const [first] = series;
  // Tasks stand before files, and the parts of a file in its own order.
  const mayBeFirst = ({ taskId, fileId }: Series) =>
    taskId !== null || (first?.taskId === null && first.fileId !== fileId);
  return (
    <ul className={classes.legend} aria-label="Series">
      {series.map((one, place) => {
        const words = [...(one.isPredicted ? ["predicted"] : []), ...(marks[place] ?? [])];
        const whole = one.partOf === null ? one.name : `all of ${one.partOf}`;
        return (
          <li key={one.key}>
            {given[place] && <Sign look={given[place]} />}
            <span className="text-of-users">
              {one.taskId === null ? (
                one.name
              ) : (
                <TaskLink taskId={one.taskId} size="xs" underline="always">
                  {one.name}
                </TaskLink>
              )}{" "}
              <span className="quiet">{counted(one.points.size, "point")}</span>
              {words.length > 0 && <span className={classes.mark}> · {words.join(" · ")}</span>}
            </span>
            {place > 0 && mayBeFirst(one) && (
              <Tooltip label="Compare the others with it">
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  aria-label={`Compare the others with ${one.name}`}
                  onClick={() => onFirst(one)}
                >
                  <IconArrowBarToLeft size={14} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
            <ActionIcon
              size="sm"
              variant="subtle"
              aria-label={`Leave out ${whole}`}
              onClick={() => onRemove(one)}
            >
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </li>
        );
      })}
    </ul>
  );
}

/** The line and the dot of a series as the chart draws them. */
function Sign({ look: { color, symbol, stroke } }: { look: Look }) {
  const dashes = DASHES[stroke];
  return (
    <svg className={classes.sign} width={34} height={10} viewBox="0 0 34 10" aria-hidden>
      <path
        d="M0 5H34"
        stroke={color}
        strokeWidth={2}
        strokeDasharray={dashes === "solid" ? undefined : dashes.join(" ")}
      />
      <path
        d={symbol}
        transform="translate(12 0)"
        fill={stroke === "solid" ? color : "var(--surface)"}
        stroke={color}
        strokeWidth={stroke === "solid" ? 0 : 2}
      />
    </svg>
  );
}
