import { ActionIcon, Group, Switch, Text, TextInput, Tooltip } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconDownload, IconSearch } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { count, counted } from "~/ui/format";
import classes from "./log-view.module.css";

interface LogBarProps {
  query: string;
  onQuery: (query: string) => void;
  /** Lines that match; null while nothing is searched. */
  found: number | null;
  place: number;
  /** Goes to the next match, or with −1 to the one before. */
  onGo: (step: number) => void;
  wraps: boolean;
  onWraps: (wraps: boolean) => void;
  onSave: () => void;
  canSave: boolean;
  children?: ReactNode;
}

/** Search and settings above a log. */
export function LogBar(props: LogBarProps) {
  const { query, onQuery, found, place, onGo, wraps, onWraps, onSave, canSave, children } = props;
  return (
    <Group className={classes.bar} gap="xs">
      {children}
      <TextInput
        className={classes.search}
        size="xs"
        type="search"
        placeholder="Search this log"
        aria-label="Search this log"
        leftSection={<IconSearch size={14} aria-hidden />}
        value={query}
        onChange={(event) => onQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") onGo(event.shiftKey ? -1 : 1);
        }}
      />
      {found !== null && (
        <Group gap={4} wrap="nowrap">
          <Text size="xs" className="quiet" role="status">
            {place < 0
              ? counted(found, "match", "matches")
              : `${count(place + 1)} of ${count(found)}`}
          </Text>
          <Step label="Previous match" Icon={IconChevronUp} onClick={() => onGo(-1)} off={!found} />
          <Step label="Next match" Icon={IconChevronDown} onClick={() => onGo(1)} off={!found} />
        </Group>
      )}
      <Switch
        size="xs"
        label="Wrap"
        checked={wraps}
        onChange={(event) => onWraps(event.currentTarget.checked)}
      />
      <Step label="Save as a file" Icon={IconDownload} onClick={onSave} off={!canSave} />
    </Group>
  );
}

interface StepProps {
  label: string;
  Icon: typeof IconDownload;
  onClick: () => void;
  off: boolean;
}

function Step({ label, Icon, onClick, off }: StepProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={30} onClick={onClick} aria-label={label} disabled={off}>
        <Icon size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
