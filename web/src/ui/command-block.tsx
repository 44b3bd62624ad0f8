import { Box, Group, Text } from "@mantine/core";
import classes from "./command-block.module.css";
import { CopyButton } from "./copy-button";

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
      {/* Long commands scroll, which has to work without a mouse too. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region takes the focus */}
      <section className={`${classes.text} scroll-y`} tabIndex={0} aria-label={title}>
        <pre>
          {command.split(/(\s+)/).map((word, place) =>
            place % 2 === 1 ? (
              word
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: words of a text have nothing but their place.
              <span key={place} className={classes.word}>
                {word}
              </span>
            ),
          )}
        </pre>
      </section>
    </Box>
  );
}
