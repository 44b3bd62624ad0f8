import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useRef, useState } from "react";
import { expect, it } from "vitest";
import { useKeptFocus } from "./use-kept-focus";

function Rows() {
  const list = useRef<HTMLUListElement>(null);
  useKeptFocus(list, list);
  const [rows, setRows] = useState(["one", "two"]);
  return (
    <>
      <button type="button" onClick={() => setRows([])}>
        Clear
      </button>
      <ul ref={list} tabIndex={-1} aria-label="Rows">
        {rows.map((row) => (
          <li key={row}>
            <button type="button" onClick={() => setRows(rows.filter((one) => one !== row))}>
              {row}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

it("keeps the focus at the list when a row that has it is removed", async () => {
  render(<Rows />);
  await userEvent.click(screen.getByRole("button", { name: "one" }));
  expect(screen.getByRole("list", { name: "Rows" })).toHaveFocus();
  await userEvent.tab();
  expect(screen.getByRole("button", { name: "two" })).toHaveFocus();
});

it("takes no focus from elsewhere", async () => {
  render(<Rows />);
  await userEvent.click(screen.getByRole("button", { name: "Clear" }));
  expect(screen.getByRole("button", { name: "Clear" })).toHaveFocus();
});
