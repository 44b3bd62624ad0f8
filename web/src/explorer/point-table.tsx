import { IconArrowDown, IconArrowUp, IconStarFilled } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useMemo, useRef } from "react";
import type { OperatingPoint } from "~/api/points";
import { EmptyState } from "~/ui/empty-state";
import { count, counted, fieldName, load, setting } from "~/ui/format";
import { TableGap } from "~/ui/table-gap";
import { LOAD } from "./brushes";
import classes from "./point-table.module.css";
import { changeInWords, type Reference } from "./reference";
import { groupAt, listedIndices } from "./scene";
import { verdict } from "./slo";
import { nextSort, sortedIndices } from "./table-rows";
import type { Exploration } from "./use-exploration";

interface PointTableProps {
  exploration: Exploration;
  sort: string | null;
  /** Whether figures stand in percent of the baseline's. */
  isAgainstBaseline: boolean;
  /** Ids of the pinned points. */
  pinned: readonly string[];
  onSort: (sort: string | null) => void;
  onPick: (id: string) => void;
}

interface Column {
  name: string;
  title: string;
  hint?: string;
  isNumeric: boolean;
  isHigherBetter: boolean;
  text: (point: OperatingPoint) => string;
}

const ROW_PX = 30;
const VERDICTS = { meets: "meets", unclear: "unclear", misses: "misses" } as const;

/** The points that the chart shows, as numbers. */
export const PointTable = memo(function PointTable(props: PointTableProps) {
  const { exploration, sort, isAgainstBaseline, pinned, onSort, onPick } = props;
  const { set, scene, limits, recommendation, reference } = exploration;
  const against = isAgainstBaseline ? reference : null;
  const columns = useMemo(() => columnsOf(exploration, against), [exploration, against]);
  const rows = useMemo(() => sortedIndices(set, listedIndices(scene), sort), [set, scene, sort]);
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  if (rows.length === 0) {
    return <EmptyState title="No points" text="None is left by what is chosen above." />;
  }
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const hasLimits = Object.keys(limits).length > 0;
  const width = columns.length + (hasLimits ? 2 : 1);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys.
    <section ref={scroller} className={classes.scroller} tabIndex={0} aria-label="Table of points">
      <table className={classes.table} aria-rowcount={rows.length + 1}>
        <caption className={classes.caption}>
          {counted(rows.length, "point")} of {count(set.size)}
          {against && `; measured figures against ${against.name} at the same load`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Point</th>
            {columns.map((column) => (
              <Head key={column.name} column={column} sort={sort} onSort={onSort} />
            ))}
            {hasLimits && <th scope="col">SLO</th>}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <TableGap height={above} columns={width} />}
          {items.map(({ index: row, key }) => {
            const index = rows[row] as number;
            const point = set.points[index] as OperatingPoint;
            return (
              <tr
                key={key}
                aria-rowindex={row + 2}
                data-pinned={pinned.includes(point.id) || undefined}
                data-group={groupAt(scene, index)}
              >
                <th scope="row">
                  <button type="button" className={classes.pick} onClick={() => onPick(point.id)}>
                    {point.experiment_index === null
                      ? "Not launched"
                      : `#${point.experiment_index}`}
                    {point.kind === "predicted" && <span className="quiet">predicted</span>}
                    {reference?.indices.includes(index) && <span className="quiet">baseline</span>}
                    {groupAt(scene, index) === "frontier" && (
                      <span className="quiet">frontier</span>
                    )}
                    {recommendation?.index === index && (
                      <IconStarFilled
                        size={11}
                        aria-label={recommendation.meetsSlo ? "recommended" : "nearest to the SLO"}
                      />
                    )}
                  </button>
                </th>
                {columns.map((column) => (
                  <td key={column.name} data-numeric={column.isNumeric || undefined}>
                    {column.text(point)}
                  </td>
                ))}
                {hasLimits && (
                  <td>{point.is_steady ? VERDICTS[verdict(point, limits)] : "not steady"}</td>
                )}
              </tr>
            );
          })}
          {below > 0 && <TableGap height={below} columns={width} />}
        </tbody>
      </table>
    </section>
  );
});

function columnsOf(
  { set, choices, varying, scene }: Exploration,
  against: Reference | null,
): Column[] {
  const shown = [scene.plane.x.key, scene.plane.y.key];
  const first = shown.flatMap((key) => choices.find((choice) => choice.key === key) ?? []);
  const figures = [...first, ...choices.filter(({ key }) => !shown.includes(key))];
  return [
    {
      name: LOAD,
      title: "Load",
      isNumeric: true,
      isHigherBetter: false,
      text: (point) => load(point.load),
    },
    ...figures.map((figure) => ({
      name: figure.key,
      title: figure.short,
      hint: figure.title,
      isNumeric: true,
      isHigherBetter: figure.better === "higher",
      text: (point: OperatingPoint) =>
        against === null
          ? figure.format(point.figures[figure.key]?.value)
          : changeInWords(set, against, point, figure),
    })),
    ...varying.map((name) => ({
      name,
      title: fieldName(name),
      hint: name,
      isNumeric: false,
      isHigherBetter: false,
      text: (point: OperatingPoint) => setting(point.settings[name]),
    })),
  ];
}

interface HeadProps {
  column: Column;
  sort: string | null;
  onSort: (sort: string | null) => void;
}

function Head({ column, sort, onSort }: HeadProps) {
  const { name, title, hint, isNumeric, isHigherBetter } = column;
  const isUp = sort === name;
  const isDown = sort === `-${name}`;
  return (
    <th
      scope="col"
      data-numeric={isNumeric || undefined}
      title={hint}
      aria-sort={isUp ? "ascending" : isDown ? "descending" : undefined}
    >
      <button
        type="button"
        className={classes.sort}
        onClick={() => onSort(nextSort(sort, name, isHigherBetter))}
      >
        {title}
        {isUp && <IconArrowUp size={12} aria-hidden />}
        {isDown && <IconArrowDown size={12} aria-hidden />}
      </button>
    </th>
  );
}
