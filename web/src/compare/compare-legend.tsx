import { ActionIcon, Tooltip } from "@mantine/core";
import { IconArrowBarToLeft, IconX } from "@tabler/icons-react";
import { useRef } from "react";
import { markPath } from "~/charts/pen";
import type { Limits } from "~/explorer/slo";
import { count, counted } from "~/ui/format";
import { TaskLink } from "~/ui/task-link";
import { useKeptFocus } from "~/ui/use-kept-focus";
import { ForgetButton } from "~/verify/forget-button";
import classes from "./compare.module.css";
import { markOf } from "./draw-series";
import { DASHES, type Look } from "./looks";
import { meetingInWords } from "./meeting";
import type { Mark } from "./mixture";
import { type DrawnSeries, disturbedOf, type Series } from "./series";

interface CompareLegendProps {
  drawn: readonly DrawnSeries[];
  marks: readonly (readonly Mark[])[];
  looks: readonly Look[];
  /** Limits that the points are held against; null: none. */
  limits: Limits | null;
  /** Whether the reader set them: then they are nobody's SLO. */
  areOwn: boolean;
  onFirst: (one: Series) => void;
  onRemove: (one: Series) => void;
}

/** The series by name and look; what is predicted, of something else, or does not say of what, says so. */
export function CompareLegend(props: CompareLegendProps) {
  const { drawn, marks, looks, limits, areOwn, onFirst, onRemove } = props;
  const first = drawn[0]?.series;
  const list = useRef<HTMLUListElement>(null);
  useKeptFocus(list, list);
  // Tasks stand before files, and the parts of a file in its own order.
  const mayBeFirst = ({ taskId, fileId }: Series) =>
    taskId !== null || (first?.taskId === null && first.fileId !== fileId);
  return (
    <ul ref={list} tabIndex={-1} className={classes.legend} aria-label="Series">
      {drawn.map(({ series: one, place, isCompanion }, at) => {
        const disturbed = disturbedOf(one);
        const words = [
          ...(one.isPredicted ? ["predicted"] : []),
          ...(disturbed > 0 ? [`${count(disturbed)} disturbed`] : []),
          ...(marks[at] ?? []),
        ];
        const whole = one.partOf === null ? one.name : `all of ${one.partOf}`;
        return (
          <li key={one.key}>
            {looks[at] && <Sign look={looks[at]} />}
            <span className="text-of-users">
              {one.taskId === null ? (
                one.name
              ) : (
                <TaskLink taskId={one.taskId} size="xs" underline="always">
                  {one.name}
                </TaskLink>
              )}{" "}
              <span className="quiet">
                {counted(one.points.size, "point")}
                {limits && one.points.size > 0 && `, ${meetingInWords(one, limits, areOwn)}`}
              </span>
              {words.length > 0 && <span className={classes.mark}> · {words.join(" · ")}</span>}
            </span>
            {place > 0 && !isCompanion && mayBeFirst(one) && (
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
            {!isCompanion && (
              <ActionIcon
                size="sm"
                variant="subtle"
                aria-label={`Leave out ${whole}`}
                onClick={() => onRemove(one)}
              >
                <IconX size={14} aria-hidden />
              </ActionIcon>
            )}
            {one.fileId !== null && isFirstPart(drawn, at) && (
              <ForgetButton
                id={one.fileId}
                name={one.partOf ?? one.name}
                label={`Delete the results of ${one.partOf ?? one.name}`}
                onForgotten={() => onRemove(one)}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** Whether a series is the first of its file: what is done to the file stands there once. */
const isFirstPart = (drawn: readonly DrawnSeries[], at: number): boolean =>
  drawn[at - 1]?.series.fileId !== drawn[at]?.series.fileId;

/** The line and the dot of a series as the chart draws them. */
function Sign({ look }: { look: Look }) {
  const { color, shape, stroke } = look;
  const { size, outline = 0 } = markOf(look);
  return (
    <svg className={classes.sign} width={34} height={10} viewBox="0 0 34 10" aria-hidden>
      <path d="M0 5H34" stroke={color} strokeWidth={2} strokeDasharray={DASHES[stroke].join(" ")} />
      <path
        d={markPath(shape, size)}
        transform="translate(17 5)"
        fill={stroke === "solid" ? color : "var(--surface)"}
        stroke={color}
        strokeWidth={outline}
      />
    </svg>
  );
}
