import { describe, expect, it, vi } from "vitest";
import { ApiProblem } from "~/api/problems";
import { forEach, outcomeTitle, refusalLines } from "./outcome";

const named = (...ids: number[]) => ids.map((id) => ({ id, name: `task ${id}` }));
const wrong = (id: number, detail: string) => ({
  task: { id, name: "" },
  problem: new ApiProblem(409, "/problems/wrong-transition", "Not allowed", detail),
});

describe("an action on several tasks", () => {
  it("goes on after a refusal", async () => {
    const refusal = wrong(2, "task 2 is completed: pause is not possible").problem;
    const ask = async ({ id }: { id: number }) => {
      if (id === 2) throw refusal;
    };
    const outcome = await forEach(named(1, 2, 3), ask);
    expect(outcome.done).toBe(2);
    expect(outcome.refusals.map(({ task }) => task.id)).toEqual([2]);
    expect(outcomeTitle("pause", outcome)).toBe("2 of 3 tasks paused");
  });

  it("comes back when the service asks it to", async () => {
    const wait = vi.fn(async () => {});
    const busy = new ApiProblem(429, "", "Too many requests", "", [], 7);
    const ask = vi.fn().mockRejectedValueOnce(busy).mockResolvedValue(undefined);
    expect(await forEach(named(1), ask, { wait })).toEqual({ done: 1, refusals: [] });
    expect(wait).toHaveBeenCalledWith(7);
  });

  it("asks a few at once", async () => {
    let now = 0;
    let most = 0;
    await forEach(named(...Array.from({ length: 20 }, (_, id) => id)), async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
    });
    expect(most).toBe(4);
  });

  it("does not swallow a defect", async () => {
    await expect(
      forEach(named(1), async () => Promise.reject(new TypeError("defect"))),
    ).rejects.toThrow("defect");
  });
});

describe("what is said of it", () => {
  it("counts", () => {
    expect(outcomeTitle("delete", { done: 1, refusals: [] })).toBe("1 task deleted");
    expect(outcomeTitle("start", { done: 0, refusals: [wrong(7, "")] })).toBe(
      "Start: task 7 refused",
    );
  });

  it("gives each reason once, with the tasks that have it", () => {
    const [one, ...more] = [1, 2, 3, 4, 5].map((id) => wrong(id, "the policy forbids it"));
    expect(refusalLines(one ? [one] : [])).toEqual(["The policy forbids it."]);
    expect(refusalLines([...more, wrong(9, "it is running")])).toEqual([
      "Tasks 2, 3, 4 and 1 more: The policy forbids it.",
      "It is running.",
    ]);
  });

  it("names the fields that were refused", () => {
    const faults = [{ path: "model.path", message: "lies outside the allowed folders" }];
    const problem = new ApiProblem(403, "/problems/policy-refused", "Refused", "whole", faults);
    expect(refusalLines([{ task: { id: 1, name: "" }, problem }])).toEqual([
      "model.path: lies outside the allowed folders.",
    ]);
  });
});
