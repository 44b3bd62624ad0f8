import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { enginesQuery } from "~/api/catalog";
import type { MigratedFile } from "~/api/migrations";

interface EngineSelectProps {
  /** Null where it is left open. */
  value: string | null;
  onChange: (engine: string | null) => void;
}

/** The engine of tasks whose runtime names none. */
export function EngineSelect({ value, onChange }: EngineSelectProps) {
  const engines = useQuery(enginesQuery).data ?? [];
  return (
    <NativeSelect
      size="xs"
      label="Engine for runtimes that name none"
      description="If left open, the task's parameters decide; if they do not either, the task becomes a draft that cannot start."
      maw={420}
      value={value ?? ""}
      onChange={(event) => onChange(event.currentTarget.value || null)}
      data={[
        { value: "", label: "Leave it open" },
        ...engines.map(({ name }) => ({ value: name, label: name })),
      ]}
    />
  );
}

/** Whether a task of a file is without an engine, as far as its report says. */
export function lacksEngine(found: MigratedFile | null): boolean {
  if (found === null) return false;
  if (found.kind === "database") return found.report.drafts.length > 0;
  return found.task.notes.some(
    ({ path, outcome }) => path === "base_runtime" && outcome === "open",
  );
}
