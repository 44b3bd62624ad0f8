import { Select } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { readTasks, taskQuery } from "~/api/tasks";
import { ErrorNotice } from "~/ui/error-notice";

interface TaskPickerProps {
  label: string;
  id: number | null;
  onChange: (id: number | null) => void;
}

const OFFERED = 20;

/** A task by its name or number; the service searches. */
export function TaskPicker({ label, id, onChange }: TaskPickerProps) {
  const [asked, setAsked] = useState("");
  const chosen = useQuery({ ...taskQuery(id ?? 0), enabled: id !== null });
  const found = useQuery({
    queryKey: ["tasks-to-compare", asked],
    queryFn: ({ signal }) => readTasks(asked ? { search: asked } : {}, OFFERED, null, signal),
    placeholderData: keepPreviousData,
  });
  const named = (task: { id: number; name: string }) => `${task.id} · ${task.name}`;
  const offered = (found.data?.items ?? []).map((task) => ({
    value: String(task.id),
    label: named(task),
  }));
  const own =
    id !== null && !offered.some(({ value }) => value === String(id))
      ? [{ value: String(id), label: chosen.data ? named(chosen.data) : `${id}` }]
      : [];
  return (
    <>
      <Select
        size="sm"
        aria-label={label}
        placeholder="Name of a task"
        searchable
        clearable
        clearButtonProps={{ "aria-label": "Clear the task" }}
        nothingFoundMessage="No matching task"
        value={id === null ? null : String(id)}
        onChange={(value) => onChange(value === null ? null : Number(value))}
        onSearchChange={(text) => setAsked(/^\d+ · /.test(text) ? "" : text)}
        data={[...own, ...offered]}
        // The service has searched: names, descriptions and models.
        filter={({ options }) => options}
      />
      {found.isError && <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />}
    </>
  );
}
