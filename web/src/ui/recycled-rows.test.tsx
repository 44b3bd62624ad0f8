import { render, screen } from "@testing-library/react";
import { useRef } from "react";
import { describe, expect, it } from "vitest";
import { useFocusOfRow, useRecycledKeys } from "./recycled-rows";

function Row({ id }: { id: number }) {
  const row = useRef<HTMLDivElement>(null);
  useFocusOfRow(row, id);
  return (
    <div ref={row} data-testid="row">
      <input aria-label={`Mark ${id}`} />
    </div>
  );
}

function Rows({ from }: { from: number }) {
  const keyOf = useRecycledKeys(3);
  return [0, 1, 2].map((place) => <Row key={keyOf(from + place)} id={from + place} />);
}

describe("recycled rows", () => {
  it("keep the elements of those that stay, and change those of the others", () => {
    const { rerender } = render(<Rows from={0} />);
    const before = screen.getAllByTestId("row");
    const stays = screen.getByLabelText("Mark 2");
    rerender(<Rows from={2} />);
    expect(new Set(screen.getAllByTestId("row"))).toEqual(new Set(before));
    expect(screen.getByLabelText("Mark 2")).toBe(stays);
    expect(screen.getByLabelText("Mark 4")).toBeInTheDocument();
  });

  it("let go of the focus with what had it", () => {
    const { rerender } = render(<Rows from={0} />);
    screen.getByLabelText("Mark 1").focus();
    rerender(<Rows from={1} />);
    expect(screen.getByLabelText("Mark 1")).toHaveFocus();
    rerender(<Rows from={2} />);
    expect(document.body).toHaveFocus();
  });
});
