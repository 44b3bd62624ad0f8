import { Button, Group, Mark, Text } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { keep, kept } from "~/app/storage";
import { count } from "~/ui/format";
import { saveText } from "~/ui/saved-files";
import { LogBar } from "./log-bar";
import { levelOf, matchesIn, partsOf } from "./log-buffer";
import classes from "./log-view.module.css";

const LINE_PX = 20;
const AT_END_PX = 8;
const WRAP = "autotuner-log-wrap";
/** Where a line shows little more than its time. */
const NARROW = "(max-width: 560px)";

interface LogViewProps {
  lines: readonly string[];
  /** Lines before the first one that are not kept any more. */
  dropped?: number;
  /** For those who cannot see it: "Log of experiment 3". */
  label: string;
  fileName: string;
  height: string;
  /** What is searched at first. */
  initialQuery: string;
  /** Called with every change of what is searched. */
  onQuery: (query: string) => void;
  /** What stands left of the search: a choice of logs, a state. */
  children?: ReactNode;
  /** What is shown in place of lines, where there are none. */
  empty: ReactNode;
}

/** Lines of a log: searched, wrapped, saved, and followed until the reader scrolls up. */
export function LogView(props: LogViewProps) {
  const {
    lines,
    dropped = 0,
    label,
    fileName,
    height,
    initialQuery,
    onQuery,
    children,
    empty,
  } = props;
  const [query, setQuery] = useState(initialQuery);
  const [wraps, setWraps] = useState(() => kept<boolean>(WRAP) ?? matchMedia(NARROW).matches);
  const [isFollowing, setFollowing] = useState(true);
  const [seen, setSeen] = useState(0);
  /** Which of the matches was gone to; −1: none yet. */
  const [place, setPlace] = useState(-1);
  const lastTop = useRef(0);
  const scroller = useRef<HTMLDivElement>(null);
  const searched = useDeferredValue(query);
  const matches = useMemo(() => matchesIn(lines, searched), [lines, searched]);
  const shownPlace = Math.min(place, matches.length - 1);
  const current = shownPlace < 0 ? undefined : matches[shownPlace];

  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });

  useEffect(() => {
    if (isFollowing && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: "end" });
  }, [isFollowing, lines.length, rows]);

  /** Going up pauses, going to the end follows again; what is followed only ever goes down. */
  function onScroll(): void {
    const box = scroller.current;
    if (box === null) return;
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight <= AT_END_PX;
    if (isAtEnd) setFollowing(true);
    else if (box.scrollTop < lastTop.current) pause();
    lastTop.current = box.scrollTop;
  }

  function pause(): void {
    if (!isFollowing) return;
    setFollowing(false);
    setSeen(lines.length);
  }

  function goTo(next: number): void {
    if (matches.length === 0) return;
    const wrapped = (next + matches.length) % matches.length;
    pause();
    setPlace(wrapped);
    rows.scrollToIndex(matches[wrapped] ?? 0, { align: "center" });
  }

  function setWrapping(value: boolean): void {
    setWraps(value);
    keep(WRAP, value);
    rows.measure();
  }

  return (
    <section className={`card ${classes.frame}`} style={{ height }} aria-label={label}>
      <LogBar
        query={query}
        onQuery={(text) => {
          setPlace(-1);
          setQuery(text);
          onQuery(text);
        }}
        found={searched === "" ? null : matches.length}
        place={shownPlace}
        onGo={(step) => goTo(place < 0 && step < 0 ? -1 : place + step)}
        wraps={wraps}
        onWraps={setWrapping}
        onSave={() => saveText(`${lines.join("\n")}\n`, fileName)}
        canSave={lines.length > 0}
      >
        {children}
      </LogBar>
      <div className={classes.body}>
        <div
          ref={scroller}
          className={classes.lines}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region takes the focus
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label={label}
          onScroll={onScroll}
        >
          {lines.length === 0 && empty}
          <div className={classes.canvas} style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map((row) => (
              <Line
                key={row.key}
                ref={wraps ? rows.measureElement : undefined}
                index={row.index}
                number={dropped + row.index + 1}
                start={row.start}
                text={lines[row.index] ?? ""}
                query={searched}
                isCurrent={row.index === current}
                wraps={wraps}
              />
            ))}
          </div>
        </div>
        {!isFollowing && lines.length > 0 && (
          <Button
            className={classes.resume}
            size="xs"
            leftSection={<IconArrowDown size={14} aria-hidden />}
            onClick={() => setFollowing(true)}
          >
            {lines.length > seen ? `${count(lines.length - seen)} new lines` : "To the end"}
          </Button>
        )}
      </div>
      {dropped > 0 && (
        <Group className={classes.bar}>
          <Text size="xs" className="quiet">
            The first {count(dropped)} lines are not kept here; the file on the worker's machine has
            them.
          </Text>
        </Group>
      )}
    </section>
  );
}

interface LineProps {
  ref?: (node: Element | null) => void;
  index: number;
  number: number;
  start: number;
  text: string;
  query: string;
  isCurrent: boolean;
  wraps: boolean;
}

function Line({ ref, index, number, start, text, query, isCurrent, wraps }: LineProps) {
  const level = levelOf(text);
  const names = [
    classes.line,
    wraps && classes.wrapped,
    level !== "plain" && classes[level],
    isCurrent && classes.current,
  ];
  let at = 0;
  return (
    <div
      ref={ref}
      data-index={index}
      className={names.filter(Boolean).join(" ")}
      style={{ transform: `translateY(${start}px)` }}
    >
      <span className={classes.number} aria-hidden>
        {number}
      </span>
      <span className={classes.text}>
        {partsOf(text, query).map((part) => {
          const key = at;
          at += part.text.length;
          return part.isMatch ? <Mark key={key}>{part.text}</Mark> : part.text;
        })}
      </span>
    </div>
  );
}
