import { expect, it } from "vitest";
import { isEmpty } from "./downloads";

const task = (completed: number, failed: number) =>
  ({ experiments: { completed, failed, running: 0, total: completed + failed } }) as Parameters<
    typeof isEmpty
  >[1];

it("an export is offered once it would hold something", () => {
  const empty = (needs: "launch" | "result" | undefined) =>
    [task(0, 0), task(0, 2), task(1, 0)].map((one) => isEmpty({ needs }, one));
  expect(empty(undefined)).toEqual([false, false, false]);
  expect(empty("launch")).toEqual([true, false, false]);
  expect(empty("result")).toEqual([true, true, false]);
});
