import { Button, Group, Text } from "@mantine/core";
import { PATIENCE_MS } from "./deferred-deletions";
import classes from "./undo-notice.module.css";

interface UndoNoticeProps {
  text: string;
  onUndo: () => void;
}

/** What is deleted, the way back, and how long it is open. */
export function UndoNotice({ text, onUndo }: UndoNoticeProps) {
  return (
    <>
      <Group gap="sm" wrap="nowrap" justify="space-between">
        <Text size="sm" lineClamp={2} className="text-of-users">
          {text}
        </Text>
        <Button size="compact-sm" variant="light" onClick={onUndo}>
          Undo
        </Button>
      </Group>
      <div className={classes.time} style={{ animationDuration: `${PATIENCE_MS}ms` }} />
    </>
  );
}
