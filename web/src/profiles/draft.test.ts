import { describe, expect, it } from "vitest";
import type { Profile } from "~/api/profiles";
import {
  copyOf,
  draftOf,
  emptyDraft,
  faultsByPath,
  faultsElsewhere,
  faultsOfForm,
  newCondition,
  newSetting,
  profileOf,
} from "./draft";

const LAYER = {
  when: { backend: ["vllm", "sglang"], isl: { min: 4000 } },
  set: {
    "scheduling.max_running_requests": { value: [8, 16], why: "few at once", source: "a paper" },
    "parallel.tensor_parallel": { rule: "smallest_tp_that_fits", why: "", source: "" },
  },
};

const PROFILE = {
  name: "mine",
  description: "for a test",
  extends: "balanced",
  origin: "service",
  layers: [
    { ...LAYER, layer: "balanced/width", name: "width" },
    { ...LAYER, layer: "mine/long", name: "long" },
  ],
} as unknown as Profile;

describe("the form of a profile", () => {
  it("has its own layers, and gives them back as they were", () => {
    const { layers = [], ...rest } = profileOf(draftOf(PROFILE));
    expect(rest).toEqual({ name: "mine", description: "for a test", extends: "balanced" });
    expect(layers).toEqual([
      {
        name: "long",
        when: LAYER.when,
        set: {
          "scheduling.max_running_requests": LAYER.set["scheduling.max_running_requests"],
          "parallel.tensor_parallel": { rule: "smallest_tp_that_fits" },
        },
      },
    ]);
  });

  it("a copy has a name that is free", () => {
    expect(copyOf(PROFILE, ["mine"]).name).toBe("mine_copy");
    expect(copyOf(PROFILE, ["mine", "mine_copy", "mine_copy_2"]).name).toBe("mine_copy_3");
  });

  it("leaves rows out that hold nothing", () => {
    expect(faultsOfForm(emptyDraft())).toEqual([]);
    expect(profileOf(emptyDraft()).layers).toEqual([{ name: "settings", when: {}, set: {} }]);
  });
});

describe("faults of the form", () => {
  const [first] = emptyDraft().layers;
  const withRows = (set: object[], when: object[] = []) => ({
    ...emptyDraft(),
    layers: [
      {
        ...(first as NonNullable<typeof first>),
        set: set.map((row) => ({ ...newSetting(), ...row })),
        when: when.map((row) => ({ ...newCondition(), ...row })),
      },
    ],
  });

  it.each([
    [{ field: "misc.threads" }, "layers[0].set.misc.threads"],
    [{ text: "8" }, "layers[0].set."],
    [{ field: "misc.threads", text: "[1" }, "layers[0].set.misc.threads"],
  ])("%j is said at its field", (row, path) => {
    expect(faultsOfForm(withRows([row])).map((fault) => fault.path)).toEqual([path]);
  });

  it("a field that is given twice would be lost silently", () => {
    const twice = withRows([
      { field: "misc.threads", text: "1" },
      { field: "misc.threads", text: "2" },
    ]);
    expect(faultsOfForm(twice).map(({ message }) => message)).toEqual([
      "is given twice in this layer; keep one",
    ]);
  });

  it("what no field shows is said by itself", () => {
    const draft = withRows([{ field: "misc.zzz", text: "1" }], [{ fact: "isl", text: "1" }]);
    const faults = [
      { path: "layers[0].set.misc.zzz", message: "unknown" },
      { path: "layers[0].when.isl", message: "never holds" },
      { path: "layers[0].set", message: "twice" },
      { path: "name", message: "taken" },
    ];
    expect(faultsElsewhere(faults, draft).map(({ path }) => path)).toEqual(["layers[0].set"]);
    expect(faultsByPath([...faults, { path: "name", message: "long" }]).get("name")).toBe(
      "taken; long",
    );
  });
});
