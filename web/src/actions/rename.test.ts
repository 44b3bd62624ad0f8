import { describe, expect, it } from "vitest";
import { changesOf, collides } from "./rename";

const READ = { name: "nightly", description: "chat" };

describe("renaming while somebody else may", () => {
  it("sends what was changed alone", () => {
    expect(changesOf(READ, { name: "weekly", description: "chat" })).toEqual({ name: "weekly" });
    expect(changesOf(READ, READ)).toEqual({});
  });

  it.each([
    ["a version that differs in other things", READ, { ...READ, name: "mine" }, false],
    [
      "another text that was changed",
      { ...READ, description: "code" },
      { ...READ, name: "mine" },
      false,
    ],
    [
      "the same text, changed otherwise",
      { ...READ, name: "theirs" },
      { ...READ, name: "mine" },
      true,
    ],
    ["the same text, changed alike", { ...READ, name: "mine" }, { ...READ, name: "mine" }, false],
  ])("%s", (_case, theirs, typed, expected) => {
    expect(collides(READ, theirs, typed)).toBe(expected);
  });
});
