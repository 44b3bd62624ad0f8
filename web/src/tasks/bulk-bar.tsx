import { Button, CloseButton, Group, Text } from "@mantine/core";
import { IconChartArrows } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTaskActions } from "~/actions/actions-provider";
import { isPossible, VERB_NAMES, VERBS } from "~/actions/verbs";
import type { TaskItem } from "~/api/tasks";
import { useShortcuts } from "~/app/shortcuts";
import { MOST_SERIES } from "~/compare/search-params";
import { count } from "~/ui/format";
import classes from "./bulk-bar.module.css";

interface BulkBarProps {
  tasks: readonly TaskItem[];
  /** Tasks that the filter finds, and those that are not read yet with them. */
  total: number;
  isReading: boolean;
  onSelectAll: () => void;
  onClear: () => void;
}

/** What can be done to the selected tasks, each with the number of those that allow it. */
export function BulkBar({ tasks, total, isReading, onSelectAll, onClear }: BulkBarProps) {
  const { run } = useTaskActions();
  useShortcuts([{ key: "Escape", does: "Select nothing", run: onClear }]);
  const offers = VERB_NAMES.filter((verb) => VERBS[verb].isForMany)
    .map((verb) => ({ verb, able: tasks.filter((task) => isPossible(verb, task)) }))
    .filter(({ able }) => able.length > 0);
  return (
    <div className={classes.place}>
      <Group className={classes.bar} gap="xs" role="toolbar" aria-label="Selected tasks">
        <Text size="sm" fw={550} role="status">
          {count(tasks.length)} selected
        </Text>
        {tasks.length < total && (
          <Button size="compact-sm" variant="subtle" loading={isReading} onClick={onSelectAll}>
            Select all {count(total)}
          </Button>
        )}
        {tasks.length > 1 && tasks.length <= MOST_SERIES && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconChartArrows size={14} aria-hidden />}
            renderRoot={(props) => (
              <Link to="/compare" search={{ tasks: oldestFirst(tasks).join(",") }} {...props} />
            )}
          >
            Compare
          </Button>
        )}
        {offers.map(({ verb, able }) => {
          const { label, Icon, isDangerous } = VERBS[verb];
          return (
            <Button
              key={verb}
              size="compact-sm"
              variant="default"
              c={isDangerous ? "var(--bad)" : undefined}
              leftSection={<Icon size={14} aria-hidden />}
              onClick={() => run(verb, able)}
            >
              {label}
              {able.length < tasks.length && ` ${count(able.length)}`}
            </Button>
          );
        })}
        <CloseButton size="sm" aria-label="Select nothing" onClick={onClear} />
      </Group>
    </div>
  );
}

/** What came first is what the others are compared with. */
const oldestFirst = (tasks: readonly TaskItem[]) =>
  tasks.map(({ id }) => id).sort((one, other) => one - other);
