import { Checkbox, Group, NativeSelect, Text } from "@mantine/core";
import { useCallback, useMemo, useRef } from "react";
import { usePalette } from "~/charts/palette";
import { type ChartForm, ExportMenu } from "~/explorer/export-menu";
import { LimitInputs } from "~/explorer/limit-inputs";
import { EmptyState } from "~/ui/empty-state";
import { quantity } from "~/ui/quantities";
import classes from "./compare.module.css";
import { CompareChart } from "./compare-chart";
import { CompareLegend } from "./compare-legend";
import { DotTable } from "./dot-table";
import { exportAs } from "./exports";
import type { CompareSearch } from "./search-params";
import { disturbedOf, type Series } from "./series";
import { useDrawing } from "./use-drawing";
import { type HeldLimits, useLimits } from "./use-limits";

interface PointsCardProps {
  series: readonly Series[];
  search: CompareSearch;
  onChange: (part: CompareSearch) => void;
  onFirst: (one: Series) => void;
  onRemove: (one: Series) => void;
}

/** The points of all series on the same axes, with the limits that they are held against. */
export function PointsCard({
  series: given,
  search,
  onChange,
  onFirst,
  onRemove,
}: PointsCardProps) {
  const held = useLimits(given, search.slo, onChange);
  const { limits, setLimits } = held;
  const drawing = useDrawing(given, search, limits);
  const { series, choices, x, y, dots, spans, layers, whiskers, varying } = drawing;
  const palette = usePalette();
  const latest = useRef({ drawing, palette });
  latest.current = { drawing, palette };
  const onExport = useCallback((form: ChartForm) => {
    void exportAs(form, latest.current.drawing, latest.current.palette);
  }, []);
  const onLimit = useCallback(
    (name: string, limit: number) => setLimits({ ...latest.current.drawing.limits, [name]: limit }),
    [setLimits],
  );
  const hasPredictions = given.some(({ predictions }) => predictions !== null);
  const hasLimits = Object.keys(limits).length > 0;
  return (
    <section className="card card-stack" aria-label="Operating points">
      <Group gap="sm" align="end">
        <AxisChoice at="y" value={y} search={search} choices={choices} onChange={onChange} />
        <AxisChoice at="x" value={x} search={search} choices={choices} onChange={onChange} />
        <Checkbox
          size="xs"
          label="frontiers only"
          checked={search.only === "frontier"}
          onChange={(event) =>
            onChange({ only: event.currentTarget.checked ? "frontier" : undefined })
          }
        />
        {hasPredictions && (
          <Checkbox
            size="xs"
            label="predictions of the tasks"
            checked={search.with === "predictions"}
            onChange={(event) =>
              onChange({ with: event.currentTarget.checked ? "predictions" : undefined })
            }
          />
        )}
        <span className={classes.space} />
        {choices.length > 0 && <ExportMenu onExport={onExport} />}
      </Group>
      {choices.length === 0 ? (
        <EmptyState
          isSmall
          title="Nothing is measured yet"
          text={
            hasPredictions
              ? "Points appear here once one of the tasks has measured its first launch. Meanwhile, their predictions can be shown."
              : "Points appear here once one of the tasks has measured its first launch."
          }
        />
      ) : (
        <>
          <Group gap="sm" align="end">
            <LimitInputs
              has={(name) => series.some(({ points }) => points.has(name))}
              x={quantity(x)}
              y={quantity(y)}
              limits={limits}
              usual={search.slo === undefined ? null : "The tasks' SLO"}
              onLimits={setLimits}
            />
            <OwnersOfLimits held={held} isAlone={given.length === 1} />
          </Group>
          <CompareChart
            series={series}
            dots={dots}
            spans={spans}
            layers={layers}
            varying={varying}
            limits={limits}
            onLimit={onLimit}
          />
        </>
      )}
      <CompareLegend
        drawn={drawing.drawn}
        marks={drawing.marks}
        looks={drawing.looks}
        limits={hasLimits ? limits : null}
        areOwn={held.owner === null}
        onFirst={onFirst}
        onRemove={onRemove}
      />
      {whiskers.lines.length > 0 && (
        <Text size="xs" className="quiet">
          Whiskers are 95 % confidence intervals of what was measured
          {whiskers.isThinned ? ", on the frontiers alone: there are too many points for all" : ""}.
          Where a point has none, its interval is not known.
        </Text>
      )}
      {series.some((one) => disturbedOf(one) > 0) && (
        <Text size="xs" className="quiet">
          Pale, hollow points were disturbed: other processes used the machine, or the load
          generator was late. Their figures can be far from what the engine does by itself.
        </Text>
      )}
      {choices.length > 0 && <DotTable series={series} dots={dots} x={x} y={y} />}
    </section>
  );
}

interface AxisChoiceProps {
  at: "x" | "y";
  value: string;
  search: CompareSearch;
  choices: readonly { key: string; title: string }[];
  onChange: (part: CompareSearch) => void;
}

/** The figure on an axis, and whether the axis is logarithmic. */
function AxisChoice({ at, value, search, choices, onChange }: AxisChoiceProps) {
  const isLog = search.log?.includes(at) ?? false;
  const where = at === "x" ? "across" : "upwards";
  const data = useMemo(
    () => choices.map(({ key, title }) => ({ value: key, label: title })),
    [choices],
  );
  const setLog = (isOn: boolean) => {
    const log = (["x", "y"] as const)
      .filter((side) => (side === at ? isOn : search.log?.includes(side)))
      .join("") as "" | "x" | "y" | "xy";
    onChange({ log: log || undefined });
  };
  return (
    <>
      <NativeSelect
        size="xs"
        label={at === "x" ? "Across" : "Upwards"}
        value={value}
        onChange={(event) => onChange({ [at]: event.currentTarget.value })}
        data={data}
      />
      <Checkbox
        size="xs"
        label={`log ${where}`}
        checked={isLog}
        onChange={(event) => setLog(event.currentTarget.checked)}
      />
    </>
  );
}

/** Whose limits these are, and which tasks have others. */
function OwnersOfLimits({ held, isAlone }: { held: HeldLimits; isAlone: boolean }) {
  const { owner, otherwise } = held;
  if (owner === null || isAlone) return null;
  const names = otherwise.map(({ name }) => name).join(", ");
  return (
    <Text size="xs" className="quiet text-of-users">
      Limits: the SLO of {owner.name}.
      {names && ` ${names} ${otherwise.length === 1 ? "has" : "have"} a different one, or none.`}
    </Text>
  );
}
