import { describe, expect, it } from "vitest";
import { filterOf, isFiltered, taskListSearch } from "./search-params";

describe("the address of the list", () => {
  it("keeps what is valid and drops the rest", () => {
    const given = {
      q: 42,
      status: ["running", "<script>", "failed"],
      engine: "vllm",
      origin: ["v1", "mars"],
      sort: "; drop table",
      other: "x",
    };
    expect(taskListSearch(given)).toEqual({
      q: "42",
      status: ["running", "failed"],
      engine: ["vllm"],
      origin: ["v1"],
    });
  });

  it("is empty for the list as it is opened", () => {
    expect(taskListSearch({ q: "", status: [], sort: "-created_at" })).toEqual({});
    expect(isFiltered(taskListSearch({ sort: "name" }))).toBe(false);
    expect(isFiltered(taskListSearch({ q: "chat" }))).toBe(true);
  });

  it("cuts what the service would refuse for its length", () => {
    expect(taskListSearch({ q: "x".repeat(10_000) }).q).toHaveLength(200);
  });

  it("asks for the newest first unless it says otherwise", () => {
    expect(filterOf({})).toEqual({ sort: "-created_at" });
    expect(filterOf({ q: "chat", sort: "name" })).toEqual({ search: "chat", sort: "name" });
  });
});
