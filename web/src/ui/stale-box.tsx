import { Box } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./stale-box.module.css";

interface StaleBoxProps {
  /** Whether it is about to be replaced by the answer to what is asked now. */
  isStale: boolean;
  children: ReactNode;
}

/** An answer that stands there, dimmed, while another one is awaited in its place. */
export function StaleBox({ isStale, children }: StaleBoxProps) {
  return (
    <Box aria-busy={isStale} className={isStale ? classes.stale : undefined}>
      {children}
    </Box>
  );
}
