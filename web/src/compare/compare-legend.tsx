import { ActionIcon, Anchor, Tooltip, useComputedColorScheme } from "@mantine/core";
import { IconArrowBarToLeft, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { CSSProperties } from "react";
import { counted } from "~/ui/format";
import classes from "./compare.module.css";
import { looks } from "./plane-option";
import { mixedWith, type Series } from "./series";

interface CompareLegendProps {
  series: readonly Series[];
  marks: readonly boolean[];
  onFirst: (key: string) => void;
  onRemove: (key: string) => void;
}

/** The series by name and colour; what is of another model or workload says so. */
export function CompareLegend({ series, marks, onFirst, onRemove }: CompareLegendProps) {
  const given = looks(marks, useComputedColorScheme("light") === "dark");
  return (
    <ul className={classes.legend} aria-label="Series">
      {series.map((one, place) => {
        const mixed = series[0] ? mixedWith(series[0], one) : [];
        return (
          <li key={one.key}>
            <span
              className={`${classes.sign} ${marks[place] ? classes.marked : ""}`}
              style={{ "--series": given[place]?.color } as CSSProperties}
              aria-hidden
            />
            <span className="text-of-users">
              {one.taskId === null ? (
                one.name
              ) : (
                <Anchor
                  size="xs"
                  underline="always"
                  renderRoot={(props) => (
                    <Link to="/tasks/$taskId" params={{ taskId: one.taskId ?? 0 }} {...props} />
                  )}
                >
                  {one.name}
                </Anchor>
              )}{" "}
              <span className="quiet">{counted(one.points.size, "point")}</span>
              {mixed.length > 0 && (
                <span className={classes.mark}> · other {mixed.join(" and ")}</span>
              )}
            </span>
            {place > 0 && one.taskId !== null && (
              <Tooltip label="Compare the others with it">
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  aria-label={`Compare the others with ${one.name}`}
                  onClick={() => onFirst(one.key)}
                >
                  <IconArrowBarToLeft size={14} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
            <ActionIcon
              size="sm"
              variant="subtle"
              aria-label={`Leave out ${one.name}`}
              onClick={() => onRemove(one.key)}
            >
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </li>
        );
      })}
    </ul>
  );
}
