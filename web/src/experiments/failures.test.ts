import { expect, it } from "vitest";
import { failureRest } from "./failures";

it("a failure is named once", () => {
  expect(failureRest("out_of_memory", "out of memory, as recorded")).toBe(", as recorded.");
  expect(failureRest("unknown_flag", "the engine does not know --foo")).toBe(
    ". The engine does not know --foo.",
  );
});
