import { describe, expect, it } from "vitest";
import { differenceOf } from "../advanced/text-difference";
import { without, withValue } from "./edits";
import { leaves } from "./rebase";
import { read, write } from "./task-text";
import { assigned, type Json, valueAt } from "./values";

const FILES = import.meta.glob<string>("../../../../examples/v2/*.yaml", {
  query: "?raw",
  import: "default",
  eager: true,
});
const EXAMPLES = Object.entries(FILES).map(([path, text]): [string, string] => [
  path.split("/").at(-1) ?? path,
  text,
]);

const comments = (text: string) => text.match(/(^|\s)#.*$/gm)?.map((each) => each.trim()) ?? [];
const contentOf = (text: string) => {
  const { content } = read(text);
  if (content === null) throw new Error(`cannot be read:\n${text}`);
  return content;
};

it("finds the examples", () => {
  expect(EXAMPLES.length).toBeGreaterThan(10);
});

describe.each(EXAMPLES)("%s", (_, text) => {
  const paths = leaves(contentOf(text));

  it("keeps every comment and every other character when a value changes", () => {
    const content = contentOf(text);
    for (const path of paths) {
      const before = valueAt(content, path);
      const value: Json = Array.isArray(before) ? [...before, 7] : "changed, [here]";
      const after = withValue(text, path, value);
      expect(contentOf(after)).toEqual(assigned(content, path, value));
      expect(comments(after)).toEqual(comments(text));
      const { from, to, insert } = differenceOf(text, after);
      expect(text.slice(from, to).split("\n").length).toBeLessThanOrEqual(12);
      expect(insert).not.toContain("\n");
    }
  });

  it("keeps comments when a value is added and taken back", () => {
    const added = withValue(text, ["memory", "cpu_offload_gb"], 2.5);
    expect(valueAt(contentOf(added), ["memory", "cpu_offload_gb"])).toBe(2.5);
    expect(comments(added)).toEqual(comments(text));
    expect(without(added, ["memory", "cpu_offload_gb"])).toBe(text);
  });

  it("removes each value and leaves no empty group behind", () => {
    for (const path of paths) {
      const content = contentOf(without(text, path));
      expect(valueAt(content, path)).toBeUndefined();
      expect(leaves(content).length).toBe(paths.length - 1);
    }
  });

  it("says the same when it is written anew", () => {
    expect(contentOf(write(contentOf(text)))).toEqual(contentOf(text));
  });
});

describe("values that look like something else", () => {
  it.each([
    "yes",
    "on",
    "null",
    "12",
    "1e3",
    "a: b",
    "# no comment",
    "[not, a, list]",
    "{a: 1}",
    "<script>alert(1)</script>",
    "\u202Egnp.exe",
    "first\nsecond",
    'it\'s "quoted"',
    " spaces ",
    "",
    "x".repeat(10_000),
    "- item",
    "&anchor",
    "*alias",
    "!tag",
    "100_000",
    "12:30:45",
    "2026-11-26",
  ])("%j stays text", (value) => {
    for (const text of [
      "version: 2\n",
      "version: 2\nmodel: {id: a}\n",
      "model:\n  id: a # mine\n",
    ]) {
      const after = withValue(text, ["model", "id"], value);
      expect(valueAt(contentOf(after), ["model", "id"])).toBe(value);
      expect(after.includes("# mine")).toBe(text.includes("# mine"));
    }
  });
});

describe("places of new values", () => {
  it("puts a new group where tasks have it", () => {
    const text = "version: 2\nname: a\nslo: {ttft_ms: 1}\n";
    expect(withValue(text, ["memory", "page_size"], 16)).toBe(
      "version: 2\nname: a\nmemory:\n  page_size: 16\nslo: {ttft_ms: 1}\n",
    );
  });

  it("adds to a group in the group's own way", () => {
    expect(withValue("memory: {page_size: 1}\n", ["memory", "swap_space"], 2)).toBe(
      "memory: {page_size: 1, swap_space: 2}\n",
    );
    expect(
      withValue("memory:\n  page_size: 1   # why\n\n# end\n", ["memory", "swap_space"], 2),
    ).toBe("memory:\n  page_size: 1   # why\n  swap_space: 2\n\n# end\n");
  });

  it("begins an empty text", () => {
    expect(withValue("", ["model", "id"], "a")).toBe("model:\n  id: a\n");
    expect(withValue("# a note\n", ["name"], "a")).toBe("# a note\nname: a\n");
  });

  it("turns a block of items into one line", () => {
    const text = "misc:\n  threads:\n    - 1\n    - 2\n  dtype: auto\n";
    expect(withValue(text, ["misc", "threads"], 4)).toBe("misc:\n  threads: 4\n  dtype: auto\n");
  });

  it("fills in a key without a value", () => {
    expect(withValue("name:\nversion: 2\n", ["name"], "a")).toBe("name: a\nversion: 2\n");
  });

  it("adds and removes rows of combinations", () => {
    const text = "combinations:\n  - parallel: {tp: 8}   # wide\n  - parallel: {tp: 4}\n";
    const added = withValue(text, ["combinations", 2], { parallel: { tp: 2 } });
    expect(added).toBe(`${text}  - {parallel: {tp: 2}}\n`);
    expect(without(added, ["combinations", 2])).toBe(text);
    expect(withValue(text, ["combinations", 0, "parallel", "tp"], 1)).toBe(
      text.replace("tp: 8", "tp: 1"),
    );
  });

  it("overrides what an anchor shares only where it is asked to", () => {
    const text =
      "metadata: {shared: &s {max_running_requests: 4}}\nscheduling: {<<: *s}\nname: a\n";
    const after = withValue(text, ["scheduling", "max_running_requests"], 8);
    expect(valueAt(contentOf(after), ["scheduling", "max_running_requests"])).toBe(8);
    expect(valueAt(contentOf(after), ["metadata", "shared", "max_running_requests"])).toBe(4);
  });
});

describe("texts that are no tasks", () => {
  it("says where a text is broken and leaves it alone", () => {
    const broken = "name: [a\nversion: 2\n";
    expect(read(broken).content).toBeNull();
    expect(read(broken).faults.length).toBeGreaterThan(0);
    expect(withValue(broken, ["name"], "b")).toBe(broken);
  });

  it("reads no text of megabytes", () => {
    const { content, faults } = read(`name: ${"x".repeat(5_000_000)}`);
    expect(content).toBeNull();
    expect(faults[0]?.message).toContain("5,000,006 characters");
  });

  it("stops at aliases that stand for millions of values", () => {
    const lines = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [index, name] of ["b", "c", "d", "e", "f", "g", "h"].entries()) {
      const inner = `*${"abcdefgh"[index]}`;
      lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => inner).join(",")}]`);
    }
    expect(read(lines.join("\n")).content).toBeNull();
  });
});
