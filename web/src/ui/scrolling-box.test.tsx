import { render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { ScrollingBox } from "./scrolling-box";

afterEach(() => vi.restoreAllMocks());

it.each([
  [100, false],
  [101, false],
  [300, true],
])("is reached by keys only where it scrolls: %i px in 100", (width, isReached) => {
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(100);
  vi.spyOn(Element.prototype, "scrollWidth", "get").mockReturnValue(width);
  render(<ScrollingBox label="Table">text</ScrollingBox>);
  expect(screen.getByRole("region", { name: "Table" }).tabIndex === 0).toBe(isReached);
});
