import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import classes from "./scrolling-box.module.css";

interface ScrollingBoxProps {
  label: string;
  className?: string;
  children: ReactNode;
}

/** What scrolls in its own box, a long text or a wide table: it has to work without a mouse too. */
export function ScrollingBox({ label, className, children }: ScrollingBoxProps) {
  const box = useRef<HTMLElement>(null);
  const [isScrolling, setScrolling] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other children are of another size.
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setScrolling(scrolls(element));
    measure();
    const observer = new ResizeObserver(measure);
    for (const one of [element, ...element.children]) observer.observe(one);
    return () => observer.disconnect();
  }, [children]);
  return (
    <section
      ref={box}
      className={className === undefined ? classes.box : `${classes.box} ${className}`}
      // A stop of the Tab key only where arrow keys do something.
      tabIndex={isScrolling ? 0 : undefined}
      aria-label={label}
    >
      {children}
    </section>
  );
}

/** Whether there is more of an element than is in sight; sizes are rounded, which is no pixel to scroll. */
function scrolls({ scrollWidth, clientWidth, scrollHeight, clientHeight }: Element): boolean {
  return scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1;
}
