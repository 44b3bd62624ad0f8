import { Box, Group, Text } from "@mantine/core";
import { CopyButton } from "./copy-button";
import classes from "./command-block.module.css";

/** A command line as it is run, with a button that copies it whole. */
export function CommandBlock({ command, title = "Command" }: { command: string; title?: string }) {
  return (
    <Box className={classes.block}>
      <Group justify="space-between" className={classes.head}>
        <Text size="xs" className="quiet">
          {title}
        </Text>
        <CopyButton text={command} what="command" label="Copy" />
      </Group>
      <pre className={classes.text} tabIndex={0} aria-label={title}>
        {command}
      </pre>
    </Box>
  );
}
