import { describe, expect, it } from "vitest";
import { ownPaths, rebased } from "./rebase";
import { read } from "./task-text";
import type { JsonObject } from "./values";

const FIRST: JsonObject = {
  version: 2,
  name: "small",
  runtime: { isl: 64, osl: 32 },
  misc: { threads: [1, 2] },
};
const SECOND: JsonObject = {
  version: 2,
  name: "large",
  runtime: { isl: 1024, osl: 32 },
  slo: { ttft_ms: 9 },
};

describe("a new suggestion", () => {
  it("is the document where there was none", () => {
    expect(read(rebased("", null, FIRST)).content).toEqual(FIRST);
  });

  it("replaces what is not the author's, comments kept", () => {
    const text =
      "version: 2\nname: small\nruntime: {isl: 64, osl: 32}  # short\nmisc: {threads: [1, 2]}\n";
    const after = rebased(text, FIRST, SECOND);
    expect(read(after).content).toEqual(SECOND);
    expect(after).toContain("# short");
  });

  it("leaves what the author changed, added and removed", () => {
    const text =
      "version: 2\nname: mine\nruntime: {isl: 64}\nmisc: {threads: 8}\nmemory: {page_size: 16}\n";
    expect(read(rebased(text, FIRST, { ...SECOND, misc: { threads: [4] } })).content).toEqual({
      version: 2,
      name: "mine",
      runtime: { isl: 1024 },
      misc: { threads: 8 },
      memory: { page_size: 16 },
      slo: { ttft_ms: 9 },
    });
  });

  it("fills in what an opened document leaves open, where a decision changes it", () => {
    const opened = "version: 2\nname: mine\nruntime: {isl: 64, osl: 32}\n";
    const goal = { ...FIRST, slo: { ttft_ms: 1 } };
    const other = { ...FIRST, slo: { ttft_ms: 2 } };
    expect(read(rebased(opened, goal, other, true)).content).toEqual({
      version: 2,
      name: "mine",
      runtime: { isl: 64, osl: 32 },
      slo: { ttft_ms: 2 },
    });
    expect(rebased(opened, goal, other)).toBe(opened);
    const own = ownPaths(read(opened).content ?? {}, FIRST, true);
    expect(own.map((path) => path.join("."))).toEqual(["name"]);
  });

  it("names the author's own values", () => {
    const own = ownPaths({ ...FIRST, name: "mine", memory: { page_size: 16 } }, FIRST);
    expect(own.map((path) => path.join("."))).toEqual(["name", "memory.page_size"]);
  });
});
