import { Anchor, Button, Group, Stack, Switch, Text, Title } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Experiment } from "~/api/experiments";
import { CommandBlock } from "~/ui/command-block";
import { change, fieldName } from "~/ui/format";
import { ScrollingBox } from "~/ui/scrolling-box";
import { asSentence } from "~/ui/sentence";
import { type FigureCell, figureRows, settingRows, withBaseline } from "./diff";
import classes from "./diff-view.module.css";
import { ExperimentStatusBadge } from "./status-badge";

/** Narrower, a column would break its numbers. */
const COLUMN_PX = 150;

interface DiffViewProps {
  taskId: number;
  experiments: readonly Experiment[];
  onMarked: (marked: number[]) => void;
  onClose: () => void;
}

/** Marked experiments side by side; the others are compared with the first one. */
export function DiffView({ taskId, experiments, onMarked, onClose }: DiffViewProps) {
  const [onlyDiffering, setOnlyDiffering] = useState(true);
  const marked = experiments.map(({ index }) => index);
  const settings = settingRows(experiments).filter(({ differs }) => differs || !onlyDiffering);
  return (
    <section className="card" aria-labelledby="side-by-side">
      <Group px="sm" py={8} justify="space-between" gap="sm">
        <Group gap="sm">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconArrowLeft size={14} aria-hidden />}
            onClick={onClose}
          >
            All experiments
          </Button>
          <Title order={2} fz="md" id="side-by-side">
            Side by side
          </Title>
        </Group>
        <Switch
          size="xs"
          label="Differing settings only"
          checked={onlyDiffering}
          onChange={(event) => setOnlyDiffering(event.currentTarget.checked)}
        />
      </Group>
      <ScrollingBox label="Table of differences">
        <table className={classes.table} style={{ minWidth: COLUMN_PX * (experiments.length + 1) }}>
          <thead>
            <tr>
              <th scope="col">Experiment</th>
              {experiments.map((one, place) => (
                <th key={one.index} scope="col">
                  <Head
                    taskId={taskId}
                    experiment={one}
                    isBaseline={place === 0}
                    onBaseline={() => onMarked(withBaseline(marked, one.index))}
                  />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <SectionRow title="Figures of the representative point" columns={experiments.length} />
            {figureRows(experiments).map(({ title, cells }) => (
              <tr key={title}>
                <th scope="row">{title}</th>
                {cells.map((cell, place) => (
                  <td key={marked[place]}>
                    {cell.text}
                    <Change cell={cell} />
                  </td>
                ))}
              </tr>
            ))}
            <SectionRow title="Settings" columns={experiments.length} />
            {settings.map(({ path, values, differs }) => (
              <tr key={path} className={differs ? classes.differs : undefined}>
                <th scope="row" title={path}>
                  {fieldName(path)}
                </th>
                {values.map((value, place) => (
                  <td key={marked[place]}>{value}</td>
                ))}
              </tr>
            ))}
            {settings.length === 0 && (
              <tr>
                <td colSpan={experiments.length + 1}>All their settings are the same.</td>
              </tr>
            )}
            <SectionRow title="Outcome" columns={experiments.length} />
            <TextRow title="Why it was launched" experiments={experiments} of="selection_reason" />
            <TextRow title="Failure" experiments={experiments} of="failure_message" />
          </tbody>
        </table>
      </ScrollingBox>
      <div className={classes.commands}>
        {experiments.map(({ index, command, unserved }) => (
          <CommandBlock
            key={index}
            command={command}
            title={`Command of experiment ${index}`}
            unserved={unserved}
          />
        ))}
      </div>
    </section>
  );
}

interface HeadProps {
  taskId: number;
  experiment: Experiment;
  isBaseline: boolean;
  onBaseline: () => void;
}

function Head({ taskId, experiment, isBaseline, onBaseline }: HeadProps) {
  const { index, status } = experiment;
  return (
    <Stack gap={4} align="flex-start">
      <Anchor
        size="sm"
        fw={600}
        renderRoot={(props) => (
          <Link {...props} to="/tasks/$taskId/experiments/$index" params={{ taskId, index }} />
        )}
      >
        Experiment {index}
      </Anchor>
      <ExperimentStatusBadge status={status} />
      {isBaseline ? (
        <Text size="xs" className="quiet">
          Baseline
        </Text>
      ) : (
        <Button size="compact-xs" variant="default" onClick={onBaseline}>
          Use as baseline
        </Button>
      )}
    </Stack>
  );
}

function Change({ cell }: { cell: FigureCell }) {
  if (cell.change === null) return null;
  const tone = cell.isBetter === null ? "quiet" : cell.isBetter ? classes.better : classes.worse;
  const word = cell.isBetter === null ? "" : cell.isBetter ? " better" : " worse";
  return (
    <Text size="xs" className={tone}>
      {change(cell.change)}
      {word}
    </Text>
  );
}

function SectionRow({ title, columns }: { title: string; columns: number }) {
  return (
    <tr>
      <th scope="colgroup" colSpan={columns + 1} className={classes.section}>
        {title}
      </th>
    </tr>
  );
}

interface TextRowProps {
  title: string;
  experiments: readonly Experiment[];
  of: "selection_reason" | "failure_message";
}

function TextRow({ title, experiments, of }: TextRowProps) {
  if (experiments.every((one) => !one[of])) return null;
  return (
    <tr>
      <th scope="row">{title}</th>
      {experiments.map((one) => (
        <td key={one.index}>{asSentence(one[of] ?? "") || "–"}</td>
      ))}
    </tr>
  );
}
