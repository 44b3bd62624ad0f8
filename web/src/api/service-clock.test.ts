import { afterEach, describe, expect, it, vi } from "vitest";
import { noteServiceTime, serviceNowMs } from "./service-clock";

const NOW_MS = Date.parse("2026-11-26T10:00:00Z");

describe("the service's clock", () => {
  afterEach(() => vi.useRealTimers());

  it.each([
    ["Thu, 26 Nov 2026 11:00:00 GMT", NOW_MS + 3_600_000],
    ["Thu, 26 Nov 2026 09:00:00 GMT", NOW_MS - 3_600_000],
    ["Thu, 26 Nov 2026 09:59:58 GMT", NOW_MS],
    ["no date", NOW_MS],
  ])("an answer of %s", (date, expected) => {
    vi.useFakeTimers({ now: NOW_MS });
    noteServiceTime("Thu, 26 Nov 2026 10:00:00 GMT");
    noteServiceTime(date);
    expect(serviceNowMs()).toBe(expected);
  });
});
