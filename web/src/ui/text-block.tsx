import { Box, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyButton } from "./copy-button";
import classes from "./text-block.module.css";

interface TextBlockProps {
  text: string;
  title: string;
  /** What is copied, for the button's name. */
  what: string;
  /** How tall it is, and which way it scrolls. */
  className?: string;
  /** Whether it is about to be replaced: it is dimmed then, and not copied. */
  isStale?: boolean;
  /** The text as it is shown, where that has parts of its own. */
  children?: ReactNode;
}

/** A text in a fixed width, with a button that copies it whole. */
export function TextBlock(props: TextBlockProps) {
  const { text, title, what, className = "", isStale = false, children } = props;
  return (
    <Box className={classes.block} aria-busy={isStale}>
      <Group justify="space-between" className={classes.head}>
        <Text size="xs" className="quiet text-of-users">
          {title}
        </Text>
        <CopyButton text={text} what={what} label="Copy" disabled={isStale} />
      </Group>
      {/* Long texts scroll, which has to work without a mouse too. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region takes the focus */}
      <section className={`${classes.text} ${className}`} tabIndex={0} aria-label={title}>
        <pre>{children ?? text}</pre>
      </section>
    </Box>
  );
}
