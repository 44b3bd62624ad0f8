import { Group, NativeSelect, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { resultFilesQuery } from "~/api/verify";
import { AddResults } from "~/verify/add-results";
import { TaskPicker } from "~/verify/task-picker";
import classes from "./compare.module.css";
import { MOST_SERIES } from "./search-params";

interface AddSeriesProps {
  tasks: readonly number[];
  files: readonly string[];
  onAdd: (one: { taskId?: number; fileId?: string }) => void;
}

/** A task by its name, results that are uploaded, or new ones. */
export function AddSeries({ tasks, files, onAdd }: AddSeriesProps) {
  const kept = useQuery(resultFilesQuery).data?.items ?? [];
  const left = kept.filter(({ id }) => !files.includes(id));
  if (tasks.length + files.length >= MOST_SERIES) {
    return (
      <Text size="sm" className="quiet">
        {MOST_SERIES} series can be distinguished on one plane; leave one out to add another.
      </Text>
    );
  }
  return (
    <div className={classes.add}>
      <Group gap="sm" align="end">
        <TaskPicker
          key={tasks.join()}
          label="Task to add"
          id={null}
          onChange={(id) => {
            if (id !== null) onAdd({ taskId: id });
          }}
        />
        {left.length > 0 && (
          <NativeSelect
            size="sm"
            aria-label="Uploaded results to add"
            value=""
            onChange={(event) => {
              if (event.currentTarget.value) onAdd({ fileId: event.currentTarget.value });
            }}
            data={[
              { value: "", label: "Add uploaded results" },
              ...left.map(({ id, name, format }) => ({ value: id, label: `${name} · ${format}` })),
            ]}
          />
        )}
      </Group>
      <AddResults what="the new series" onAdded={({ id }) => onAdd({ fileId: id })} />
    </div>
  );
}
