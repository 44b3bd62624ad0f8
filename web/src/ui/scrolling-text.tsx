import type { ReactNode } from "react";

interface ScrollingTextProps {
  label: string;
  className?: string;
  children: ReactNode;
}

/** A text that scrolls in its own box, which has to work without a mouse too. */
export function ScrollingText({ label, className, children }: ScrollingTextProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region takes the focus
    <section className={className} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
