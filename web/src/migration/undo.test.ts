import { describe, expect, it } from "vitest";
import { leftInWords, rowsInWords, runningInWords } from "./undo";

describe("what taking back removes", () => {
  it("is said by kind, with the noun's number", () => {
    expect(rowsInWords({ measurements: 10, tasks: 1, experiments: 2_000 })).toBe(
      "1 task, 2,000 experiments and 10 measurements",
    );
    expect(rowsInWords({ presets: 1 })).toBe("1 preset of version 1");
    expect(rowsInWords({})).toBe("nothing");
  });

  it("leaves tasks by their numbers, which are names", () => {
    expect(leftInWords({ left: [1234] })).toBe(
      "1 task stays: it was worked on here since (v1 task 1234).",
    );
    const many = Array.from({ length: 12 }, (_, place) => 2000 + place);
    expect(leftInWords({ left: many })).toMatch(/^12 tasks stay: they were .*2009 and 2 more\)\.$/);
  });

  it("waits for tasks that run", () => {
    expect(runningInWords({ running: [1234] })).toMatch(/^Task 1234 runs: cancel it first\./);
    expect(runningInWords({ running: [3, 5] })).toMatch(/^Tasks 3, 5 run: cancel them first\./);
  });
});
