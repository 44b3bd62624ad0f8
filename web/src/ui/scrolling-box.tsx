import type { ReactNode } from "react";
import classes from "./scrolling-box.module.css";

interface ScrollingBoxProps {
  label: string;
  className?: string;
  children: ReactNode;
}

/** What scrolls in its own box, a long text or a wide table: it has to work without a mouse too. */
export function ScrollingBox({ label, className, children }: ScrollingBoxProps) {
  return (
    <section
      className={className === undefined ? classes.box : `${classes.box} ${className}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region takes the focus
      tabIndex={0}
      aria-label={label}
    >
      {children}
    </section>
  );
}
