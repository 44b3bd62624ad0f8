import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LogBuffer, levelOf, MOST_LINES, matchesIn, partsOf } from "./log-buffer";

describe("a log that grows", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("tells its readers of many lines at once, and keeps a snapshot until then", () => {
    const buffer = new LogBuffer();
    const listener = vi.fn();
    buffer.subscribe(listener);
    const before = buffer.snapshot();
    for (let line = 0; line < 1_000; line += 1) buffer.append(`line ${line}`);
    expect(buffer.snapshot()).toBe(before);
    vi.runAllTimers();
    expect(listener).toHaveBeenCalledTimes(1);
    expect(buffer.snapshot().lines).toHaveLength(1_000);
  });

  it("drops the oldest lines and counts them", () => {
    const buffer = new LogBuffer();
    for (let line = 0; line <= MOST_LINES; line += 1) buffer.append(String(line));
    vi.runAllTimers();
    const { lines, dropped } = buffer.snapshot();
    expect(dropped).toBe(MOST_LINES / 10);
    expect(lines[0]).toBe(String(dropped));
    expect(lines.at(-1)).toBe(String(MOST_LINES));
  });

  it("leaves colours of terminals out", () => {
    const buffer = new LogBuffer();
    buffer.append("\u001b[31mred\u001b[0m");
    vi.runAllTimers();
    expect(buffer.snapshot().lines).toEqual(["red"]);
  });

  it("begins anew when it is cleared", () => {
    const buffer = new LogBuffer();
    buffer.append("old");
    buffer.clear();
    buffer.append("new");
    vi.runAllTimers();
    expect(buffer.snapshot().lines).toEqual(["new"]);
  });
});

describe("search", () => {
  it("finds lines whatever their case", () => {
    expect(matchesIn(["Loading", "ready", "loading done"], "LOADING")).toEqual([0, 2]);
    expect(matchesIn(["a"], "")).toEqual([]);
  });

  it("cuts a line at its matches", () => {
    expect(partsOf("one two ONE", "one")).toEqual([
      { text: "one", isMatch: true },
      { text: " two ", isMatch: false },
      { text: "ONE", isMatch: true },
    ]);
    expect(partsOf("nothing", "x")).toEqual([{ text: "nothing", isMatch: false }]);
    expect(partsOf("", "x")).toEqual([{ text: "", isMatch: false }]);
  });

  it("never cuts where letters change their length with their case", () => {
    expect(partsOf("İstanbul error", "error")).toEqual([
      { text: "İstanbul error", isMatch: false },
    ]);
  });
});

it.each([
  ["srv error: out of memory", "error"],
  ["WARNING: no GPU found", "warning"],
  ["warn: slow", "warning"],
  ["terrorised", "plain"],
])("%s is a line of level %s", (line, level) => {
  expect(levelOf(line)).toBe(level);
});
