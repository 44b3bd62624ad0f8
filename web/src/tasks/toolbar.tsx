import { Button, CloseButton, Group, NativeSelect, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import type { SortName } from "~/api/tasks";
import { useShortcuts } from "~/app/shortcuts";
import { counted } from "~/ui/format";
import { statusLabel } from "~/ui/status-badge";
import { FilterMenu } from "./filter-menu";
import { DEFAULT_SORT, isFiltered, ORIGINS, STATUSES, type TaskListSearch } from "./search-params";
import classes from "./toolbar.module.css";

const TYPING_MS = 200;
const LONGEST_TEXT = 200;
const ORIGIN_LABELS = { api: "Service", cli: "Command line", v1: "Version 1" } as const;
const SORT_LABELS: Record<SortName, string> = {
  "-created_at": "Newest first",
  created_at: "Oldest first",
  "-updated_at": "Last changed first",
  updated_at: "Longest unchanged first",
  name: "Name, A to Z",
  "-name": "Name, Z to A",
  status: "Status, A to Z",
  "-status": "Status, Z to A",
};

interface ToolbarProps {
  search: TaskListSearch;
  engines: readonly string[];
  /** Tasks found; null until they are counted. */
  total: number | null;
  /** Whether there is no task at all, so that there is nothing to search or sort. */
  isBare: boolean;
  onChange: (search: TaskListSearch) => void;
}

export function Toolbar({ search, engines, total, isBare, onChange }: ToolbarProps) {
  return (
    <Group className={classes.bar} gap="xs">
      <Title order={1} className={classes.title}>
        Tasks
      </Title>
      {!isBare && <Filters search={search} engines={engines} total={total} onChange={onChange} />}
    </Group>
  );
}

function Filters({ search, engines, total, onChange }: Omit<ToolbarProps, "isBare">) {
  const { status = [], engine = [], origin = [], sort = DEFAULT_SORT } = search;
  return (
    <>
      <SearchField text={search.q ?? ""} onChange={(q) => onChange({ ...search, q })} />
      <FilterMenu
        title="Status"
        options={STATUSES.map((value) => ({ value, label: statusLabel(value) }))}
        chosen={status}
        onChange={(chosen) => onChange({ ...search, status: chosen })}
      />
      <FilterMenu
        title="Engine"
        options={engines.map((value) => ({ value, label: value }))}
        chosen={engine}
        onChange={(chosen) => onChange({ ...search, engine: chosen })}
      />
      <FilterMenu
        title="Origin"
        options={ORIGINS.map((value) => ({ value, label: ORIGIN_LABELS[value] }))}
        chosen={origin}
        onChange={(chosen) => onChange({ ...search, origin: chosen })}
      />
      {isFiltered(search) && (
        <Button variant="subtle" size="xs" onClick={() => onChange({ sort: search.sort })}>
          Clear filters
        </Button>
      )}
      <Group gap="xs" wrap="nowrap" className={classes.order}>
        <Text size="sm" className="quiet" role="status">
          {total !== null && counted(total, "task")}
        </Text>
        <NativeSelect
          size="xs"
          aria-label="Order"
          value={sort}
          data={Object.entries(SORT_LABELS).map(([value, label]) => ({ value, label }))}
          onChange={(event) => onChange({ ...search, sort: event.currentTarget.value as SortName })}
        />
      </Group>
    </>
  );
}

function SearchField({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const field = useRef<HTMLInputElement>(null);
  const send = useDebouncedCallback(onChange, TYPING_MS);
  useShortcuts([{ key: "f", does: "Search the list", run: () => field.current?.focus() }]);
  useEffect(() => {
    // The address may change by another hand: a link, the way back, cleared filters.
    if (document.activeElement !== field.current) setTyped(text);
  }, [text]);
  const type = (value: string) => {
    setTyped(value);
    send(value);
  };
  return (
    <TextInput
      ref={field}
      size="xs"
      className={classes.search}
      type="search"
      aria-label="Search tasks"
      placeholder="Name, description or model"
      maxLength={LONGEST_TEXT}
      value={typed}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        typed !== "" && (
          <CloseButton size="xs" aria-label="Clear the search" onClick={() => type("")} />
        )
      }
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}
