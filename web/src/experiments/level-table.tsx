import { Text } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { Fragment, useMemo, useState } from "react";
import type { Distribution, MeasuredLevel, PredictedLevel } from "~/api/experiments";
import { EmptyState } from "~/ui/empty-state";
import { change, count, load, milliseconds, number } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import { asSentence } from "~/ui/sentence";
import classes from "./experiment.module.css";
import { LevelDistributions } from "./level-distributions";
import { commonRemarks, type Level, levelsOf, remarksOn, scalesOf } from "./levels";

interface LevelTableProps {
  measured: readonly MeasuredLevel[];
  predicted: readonly PredictedLevel[];
}

/** Each load level with its figures, what was predicted beneath, and its distributions on request. */
export function LevelTable({ measured, predicted }: LevelTableProps) {
  const levels = useMemo(() => levelsOf(measured, predicted), [measured, predicted]);
  const scales = useMemo(() => scalesOf(levels), [levels]);
  const common = useMemo(() => commonRemarks(measured), [measured]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  if (levels.length === 0) {
    return <EmptyState title="No level yet" text="Each load level appears when it is measured." />;
  }
  const toggle = (key: string) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  return (
    <ScrollingBox label="Table of load levels">
      {common.map((remark) => (
        <Text key={remark} size="xs" className="quiet">
          {asSentence(remark)} This is so of every level.
        </Text>
      ))}
      <table className={classes.levels}>
        <thead>
          <tr>
            <th scope="col">Load</th>
            <th scope="col">tok/s</th>
            <th scope="col">TTFT</th>
            <th scope="col">TPOT</th>
            <th scope="col">E2E p90</th>
            <th scope="col">requests/s</th>
            <th scope="col">Requests</th>
          </tr>
        </thead>
        <tbody>
          {levels.map((level) => (
            <Fragment key={level.key}>
              {level.measured.length === 0 && <PredictedRow level={level} />}
              {level.measured.map((one) => {
                const key = `${level.key}:${one.repeat}`;
                return (
                  <Fragment key={key}>
                    <MeasuredRow
                      level={one}
                      repeats={level.measured.length}
                      remarks={remarksOn(one).filter((remark) => !common.includes(remark))}
                      predicted={level.predicted}
                      isOpen={open.has(key)}
                      onToggle={() => toggle(key)}
                    />
                    {open.has(key) && (
                      <tr className={classes.detail}>
                        <td colSpan={7}>
                          <LevelDistributions level={one} scales={scales} />
                        </td>
                      </tr>
                    )}
                  </Fragment>
                );
              })}
            </Fragment>
          ))}
        </tbody>
      </table>
    </ScrollingBox>
  );
}

function PredictedRow({ level }: { level: Level }) {
  const figures = level.predicted?.calibrated ?? level.predicted?.base;
  return (
    <tr className="quiet">
      <th scope="row">{load(level.load)}</th>
      <td>{number(figures?.tok_s)}</td>
      <td>{milliseconds(figures?.ttft_ms)}</td>
      <td>{milliseconds(figures?.tpot_ms)}</td>
      <td colSpan={3}>predicted, not measured</td>
    </tr>
  );
}

interface MeasuredRowProps {
  level: MeasuredLevel;
  repeats: number;
  remarks: readonly string[];
  predicted: PredictedLevel | null;
  isOpen: boolean;
  onToggle: () => void;
}

function MeasuredRow(props: MeasuredRowProps) {
  const { level, repeats, remarks, predicted, isOpen, onToggle } = props;
  const expected = predicted?.calibrated ?? predicted?.base ?? null;
  const Arrow = isOpen ? IconChevronDown : IconChevronRight;
  const all = level.requests_completed + level.requests_failed;
  return (
    <tr>
      <th scope="row">
        <button type="button" className={classes.toggle} onClick={onToggle} aria-expanded={isOpen}>
          <Arrow size={14} aria-hidden />
          {load(level.load)}
          {repeats > 1 && `, ${level.repeat + 1} of ${repeats}`}
        </button>
        {remarks.map((remark) => (
          <Text key={remark} size="xs" className="quiet" style={{ whiteSpace: "normal" }} maw={320}>
            {remark}
          </Text>
        ))}
      </th>
      <td>
        {number(level.tok_s)}
        <Beside expected={expected?.tok_s} found={level.tok_s} format={number} />
      </td>
      <td>
        <Mean of={level.ttft_ms} />
        <Beside expected={expected?.ttft_ms} found={level.ttft_ms?.mean} format={milliseconds} />
      </td>
      <td>
        <Mean of={level.tpot_ms} />
        <Beside expected={expected?.tpot_ms} found={level.tpot_ms?.mean} format={milliseconds} />
      </td>
      <td>{milliseconds(level.e2e_ms?.p90)}</td>
      <td>{number(level.requests_s)}</td>
      <td>
        {level.requests_failed > 0
          ? `${count(level.requests_completed)} of ${count(all)}`
          : count(all)}
      </td>
    </tr>
  );
}

/** A mean with half the width of its 95 % interval. */
function Mean({ of }: { of: Distribution | null | undefined }) {
  if (!of) return "–";
  const width = of.ci95 ?? null;
  return (
    <>
      {milliseconds(of.mean)}
      {width !== null && <span className="quiet"> ± {number(width, 2)}</span>}
    </>
  );
}

interface BesideProps {
  expected: number | null | undefined;
  found: number | null | undefined;
  format: (value: number | null | undefined) => string;
}

/** What was predicted, and how far that was off. */
function Beside({ expected, found, format }: BesideProps) {
  if (expected === null || expected === undefined) return null;
  const error = found ? expected / found - 1 : null;
  return (
    <span className={classes.beside}>
      predicted {format(expected)} ({change(error)})
    </span>
  );
}
