/** Lines of a log as they come in, and the matches of a search in them. */

export const MOST_LINES = 200_000;
/** Lines come in faster than a screen is drawn: readers hear of them a few times a second. */
const NOTICE_EVERY_MS = 120;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of terminals begin with one.
const TERMINAL_CODES = /\u001b\[[0-9;?]*[A-Za-z]/g;

export interface LogSnapshot {
  lines: readonly string[];
  /** Lines before the first one that are not kept any more. */
  dropped: number;
}

const EMPTY: LogSnapshot = { lines: [], dropped: 0 };

/** A log that grows, in the form that `useSyncExternalStore` reads. */
export class LogBuffer {
  #lines: string[] = [];
  #dropped = 0;
  #snapshot = EMPTY;
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  append(line: string): void {
    this.#lines.push(line.replace(TERMINAL_CODES, ""));
    if (this.#lines.length > MOST_LINES) {
      const gone = MOST_LINES / 10;
      this.#lines.splice(0, gone);
      this.#dropped += gone;
    }
    this.#timer ??= setTimeout(this.#notice, NOTICE_EVERY_MS);
  }

  clear(): void {
    this.#lines = [];
    this.#dropped = 0;
    this.#timer ??= setTimeout(this.#notice, NOTICE_EVERY_MS);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly snapshot = (): LogSnapshot => this.#snapshot;

  readonly #notice = (): void => {
    this.#timer = undefined;
    this.#snapshot = { lines: this.#lines.slice(), dropped: this.#dropped };
    for (const listener of this.#listeners) listener();
  };
}

/** Numbers of the lines in which the text occurs, whatever its case; none for an empty text. */
export function matchesIn(lines: readonly string[], text: string): number[] {
  const wanted = text.toLowerCase();
  if (wanted === "") return [];
  const found: number[] = [];
  for (const [number, line] of lines.entries()) {
    if (line.toLowerCase().includes(wanted)) found.push(number);
  }
  return found;
}

export interface LinePart {
  text: string;
  isMatch: boolean;
}

/** A line cut at the occurrences of a text, whatever their case. */
export function partsOf(line: string, text: string): LinePart[] {
  const wanted = text.toLowerCase();
  const lower = line.toLowerCase();
  // Some letters change their length with their case; positions would be of another text.
  if (wanted === "" || lower.length !== line.length) return [{ text: line, isMatch: false }];
  const parts: LinePart[] = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) parts.push({ text: line.slice(from, at), isMatch: false });
    parts.push({ text: line.slice(at, at + wanted.length), isMatch: true });
    from = at + wanted.length;
  }
  if (from < line.length || parts.length === 0) {
    parts.push({ text: line.slice(from), isMatch: false });
  }
  return parts;
}

export type LineLevel = "error" | "warning" | "plain";

const ERRORS = /\b(error|fatal|critical|exception|traceback|failed)\b/i;
const WARNINGS = /\bwarn(ing)?\b/i;

/** How loud a line is, by the words that engines use. */
export function levelOf(line: string): LineLevel {
  if (ERRORS.test(line)) return "error";
  return WARNINGS.test(line) ? "warning" : "plain";
}
