import { describe, expect, it } from "vitest";
import { reservedText } from "./places-cards";

describe("what is reserved of a node", () => {
  it("is said beside all that there is", () => {
    expect(reservedText({ name: "GPU", total: 2, reserved: 1 })).toBe("GPU: 1 of 2");
    expect(reservedText({ name: "memory", total: 22.9, reserved: 0.5 })).toMatch(
      /^memory: 512\sMiB of 22\.9\sGiB$/,
    );
  });

  it("is not made up where the cluster does not say it", () => {
    expect(reservedText({ name: "CPU", total: 8, reserved: null })).toBe(
      "CPU: 8, reserved not known",
    );
  });
});
