import { ActionIcon, Anchor, Button, Group, Skeleton, Text, Title, Tooltip } from "@mantine/core";
import { IconArrowsExchange, IconDownload, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { memo, useState } from "react";
import { experimentQuery } from "~/api/experiments";
import type { OperatingPoint } from "~/api/points";
import { askedOf } from "~/performance/search-params";
import { CommandBlock } from "~/ui/command-block";
import { ErrorNotice } from "~/ui/error-notice";
import { saveBlob } from "~/ui/saved-files";
import { asSentence } from "~/ui/sentence";
import { pointName } from "./describe-point";
import classes from "./pinned-card.module.css";
import { FigureTable, SettingTable } from "./pinned-tables";
import { figureRows, settingRows } from "./selection";

interface PinnedCardProps {
  taskId: number;
  /** The pinned point, and the one that it is compared with. */
  points: readonly OperatingPoint[];
  varying: readonly string[];
  onSwap: () => void;
  onClear: () => void;
}

/** A point as a whole: how it differs, what it does, and the command that serves it. */
export const PinnedCard = memo(function PinnedCard(props: PinnedCardProps) {
  const { taskId, points, varying, onSwap, onClear } = props;
  const [showsSame, setShowsSame] = useState(false);
  const { differing, same } = settingRows(points, varying);
  const isComparison = points.length > 1;

  return (
    <section
      className={`card ${classes.card}`}
      aria-label={isComparison ? "Two points compared" : "Pinned point"}
    >
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={2} fz="md">
          {isComparison ? "Comparison" : points[0] && pointName(points[0])}
        </Title>
        <Group gap={4} wrap="nowrap">
          {isComparison && (
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconArrowsExchange size={14} aria-hidden />}
              onClick={onSwap}
            >
              Swap
            </Button>
          )}
          <Tooltip label="Export as JSON">
            <ActionIcon
              variant="subtle"
              aria-label="Export as JSON"
              onClick={() => exportJson(points)}
            >
              <IconDownload size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Clear">
            <ActionIcon variant="subtle" aria-label="Clear" onClick={onClear}>
              <IconX size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <Notes points={points} />
      {!isComparison && (
        <Text size="xs" className="quiet">
          Pick a second point to compare.
        </Text>
      )}
      <SettingTable
        title={isComparison ? "Settings that differ" : "Settings that vary in this task"}
        points={points}
        rows={differing}
      />
      <FigureTable points={points} rows={figureRows(points)} />
      {same.length > 0 && (
        <Anchor
          component="button"
          type="button"
          size="xs"
          onClick={() => setShowsSame(!showsSame)}
          aria-expanded={showsSame}
        >
          {showsSame ? "Hide" : "Show"} the other{" "}
          {same.length === 1 ? "setting" : `${same.length} settings`}
        </Anchor>
      )}
      {showsSame && <SettingTable title="The same" points={points} rows={same} />}
      {points.map((point, place) => (
        <Command
          key={point.id}
          taskId={taskId}
          point={point}
          title={isComparison ? `Command of ${"AB"[place]}` : "Command"}
        />
      ))}
    </section>
  );
});

/** What is to be known of the points; what is true of both is said once. */
function Notes({ points }: { points: readonly OperatingPoint[] }) {
  const notes = points.flatMap((point) => [
    point.is_steady ? "" : "This level was not steady, so it is no operating point.",
    asSentence(point.note),
    point.energy_note ? `Energy: ${point.energy_note}.` : "",
  ]);
  return [...new Set(notes.filter(Boolean))].map((note) => (
    <Text key={note} size="xs" className="text-of-users quiet">
      {note}
    </Text>
  ));
}

function Command({
  taskId,
  point,
  title,
}: {
  taskId: number;
  point: OperatingPoint;
  title: string;
}) {
  const index = point.experiment_index;
  if (index === null) {
    return (
      <Text size="xs" className="quiet">
        {title}: this candidate was predicted, and not launched.
      </Text>
    );
  }
  return (
    <>
      <CommandOf taskId={taskId} index={index} title={title} />
      <Anchor
        size="xs"
        renderRoot={(props) => (
          <Link
            to="/tasks/$taskId/performance"
            params={{ taskId }}
            search={askedOf(point)}
            {...props}
          />
        )}
      >
        Where its time goes, and what would help
      </Anchor>
    </>
  );
}

function CommandOf({ taskId, index, title }: { taskId: number; index: number; title: string }) {
  const experiment = useQuery(experimentQuery(taskId, index));
  return (
    <>
      {experiment.isPending && <Skeleton h={84} />}
      {experiment.isError && (
        <ErrorNotice error={experiment.error} onRetry={() => void experiment.refetch()} />
      )}
      {experiment.data?.command && (
        <CommandBlock
          command={experiment.data.command}
          title={title}
          unserved={experiment.data.unserved}
          sampleRequest={experiment.data.sample_request}
        />
      )}
      <Anchor
        size="xs"
        renderRoot={(props) => (
          <Link to="/tasks/$taskId/experiments/$index" params={{ taskId, index }} {...props} />
        )}
      >
        Experiment {index}: measurements and log
      </Anchor>
    </>
  );
}

function exportJson(points: readonly OperatingPoint[]): void {
  const text = JSON.stringify(points.length === 1 ? points[0] : points, null, 2);
  saveBlob(new Blob([text], { type: "application/json" }), "points.json");
}
