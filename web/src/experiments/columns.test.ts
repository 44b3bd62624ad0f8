import { describe, expect, it } from "vitest";
import { columnsOf, filtered, shownColumns, shownText, sorted } from "./columns";
import { anExperiment } from "./testing-experiments";

const PATH = "scheduling.max_running_requests";
const columns = columnsOf([PATH]);
const rows = [
  anExperiment({ index: 1, actual_throughput_tok_s: 10, settings: { [PATH]: 16 } }),
  anExperiment({ index: 2, status: "failed", failure_kind: "out_of_memory" }),
  anExperiment({ index: 3, actual_throughput_tok_s: 30, settings: { [PATH]: 4 } }),
  anExperiment({ index: 4, actual_throughput_tok_s: 30, settings: { [PATH]: 64 } }),
];
const order = (sort: string) => sorted(rows, columns, sort).map(({ index }) => index);

describe("the order of rows", () => {
  it("is by number, and what has no value comes last either way", () => {
    expect(order("actual_throughput_tok_s")).toEqual([1, 3, 4, 2]);
    expect(order("-actual_throughput_tok_s")).toEqual([3, 4, 1, 2]);
  });

  it("takes settings as numbers, not as texts", () => {
    expect(order(PATH)).toEqual([3, 1, 4, 2]);
  });

  it("stays that of launch for a column that does not exist", () => {
    expect(order("nonsense")).toEqual([1, 2, 3, 4]);
  });
});

describe("the choice of rows", () => {
  const found = (text: string, statuses: string[] = []) =>
    filtered(rows, text, statuses).map(({ index }) => index);

  it("takes all words, wherever they occur", () => {
    expect(found("running_requests 16")).toEqual([1]);
    expect(found("MEMORY")).toEqual([2]);
    expect(found("memory 16")).toEqual([]);
  });

  it("takes any of the statuses", () => {
    expect(found("", ["failed"])).toEqual([2]);
    expect(found("", [])).toEqual([1, 2, 3, 4]);
  });

  it("is counted in words", () => {
    expect(shownText(1, 1)).toBe("1 experiment");
    expect(shownText(2, 5_000)).toBe("2 of 5,000 experiments");
  });
});

describe("the choice of columns", () => {
  const ids = (choice: Record<string, boolean>) =>
    shownColumns(columns, choice).map(({ id }) => id);

  it("has differing settings and figures at first", () => {
    expect(ids({})).toContain(PATH);
    expect(ids({})).not.toContain("phase");
  });

  it("is the reader's, and the number of a row always stays", () => {
    const chosen = ids({ index: false, [PATH]: false, phase: true });
    expect(chosen).toContain("index");
    expect(chosen).toContain("phase");
    expect(chosen).not.toContain(PATH);
  });
});
