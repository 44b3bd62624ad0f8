import { describe, expect, it } from "vitest";
import type { ProfilePreview } from "~/api/profiles";
import { effectRows } from "./effects";
import { documentOf, editProfileSearch, profilesSearch } from "./search-params";

function preview(values: Record<string, unknown>): ProfilePreview {
  const settings = Object.entries(values).map(([field, value]) => ({ field, value }));
  return { settings } as unknown as ProfilePreview;
}

describe("two profiles beside each other", () => {
  it("what differs comes first, and what only one of them sets differs", () => {
    const rows = effectRows(
      preview({ "a.same": [1, 2], "b.other": 1, "c.mine": 1 }),
      preview({ "a.same": [1, 2], "b.other": 2, "d.theirs": 1 }),
    );
    expect(rows.map(({ field, differs }) => [field, differs])).toEqual([
      ["b.other", true],
      ["c.mine", true],
      ["d.theirs", true],
      ["a.same", false],
    ]);
  });

  it("beside nothing, nothing differs", () => {
    expect(effectRows(preview({ "a.one": 1 }), null).some(({ differs }) => differs)).toBe(false);
  });
});

describe("the address", () => {
  it("keeps what it knows, and makes a document of it", () => {
    const search = profilesSearch({
      profile: "balanced",
      model: "Qwen/Qwen3-8B",
      gpu: "h100_sxm",
      gpus: 8,
      engine: "vllm",
      isl: 1000,
      osl: "x",
      nonsense: 1,
    });
    expect(search).toEqual({
      profile: "balanced",
      model: "Qwen/Qwen3-8B",
      gpu: "h100_sxm",
      gpus: 8,
      engine: "vllm",
      isl: 1000,
    });
    expect(documentOf(search)).toEqual({
      version: 2,
      name: "circumstances",
      model: { id: "Qwen/Qwen3-8B" },
      system: { backend: "vllm", gpu_type: "h100_sxm", total_gpus: 8 },
      runtime: { isl: 1000 },
    });
  });

  it("reads names that look like numbers, and no GPUs of a CPU", () => {
    expect(editProfileSearch({ copy: 12, gpus: -1, isl: 1.5 })).toEqual({ copy: "12" });
    expect(documentOf({ gpu: "cpu", gpus: 2 })).toEqual({
      version: 2,
      name: "circumstances",
      system: { gpu_type: "cpu" },
    });
  });
});
