import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listedShortcuts, press, type Shortcut, useShortcuts } from "./shortcuts";

function Page({ shortcuts, children }: { shortcuts: Shortcut[]; children?: ReactNode }) {
  useShortcuts(shortcuts);
  return children;
}

describe("shortcuts", () => {
  beforeEach(() => document.addEventListener("keydown", press));
  afterEach(() => document.removeEventListener("keydown", press));

  it("do what they stand for while their page is shown", async () => {
    const run = vi.fn();
    const { unmount } = render(<Page shortcuts={[{ key: "j", does: "Next", run }]} />);
    await userEvent.keyboard("j");
    expect(run).toHaveBeenCalledTimes(1);
    unmount();
    await userEvent.keyboard("j");
    expect(run).toHaveBeenCalledTimes(1);
  });

  it("leave those alone who type, and menus and dialogs", async () => {
    const run = vi.fn();
    render(
      <Page shortcuts={[{ key: "j", run }]}>
        <input aria-label="text" />
        <textarea aria-label="area" />
        <div contentEditable="true" suppressContentEditableWarning>
          <button type="button">Bold</button>
        </div>
        <div role="dialog">
          <button type="button">Close</button>
        </div>
      </Page>,
    );
    await userEvent.type(screen.getByLabelText("text"), "j");
    await userEvent.type(screen.getByLabelText("area"), "j");
    screen.getByText("Bold").focus();
    await userEvent.keyboard("j");
    screen.getByText("Close").focus();
    await userEvent.keyboard("j");
    expect(run).not.toHaveBeenCalled();
  });

  it("leave the browser's own keys alone", async () => {
    const run = vi.fn();
    render(<Page shortcuts={[{ key: "j", run }]} />);
    await userEvent.keyboard("{Control>}j{/Control}{Meta>}j{/Meta}{Alt>}j{/Alt}");
    expect(run).not.toHaveBeenCalled();
  });

  it("leave Enter to the button that has the focus", async () => {
    const run = vi.fn();
    const click = vi.fn();
    render(
      <Page shortcuts={[{ key: "Enter", run }]}>
        <button type="button" onClick={click}>
          Save
        </button>
      </Page>,
    );
    screen.getByRole("button").focus();
    await userEvent.keyboard("{Enter}");
    expect(click).toHaveBeenCalled();
    expect(run).not.toHaveBeenCalled();
  });

  it("are of the newest that registered a key", async () => {
    const [below, above] = [vi.fn(), vi.fn()];
    render(
      <>
        <Page shortcuts={[{ key: "Escape", run: below }]} />
        <Page shortcuts={[{ key: "Escape", run: above }]} />
      </>,
    );
    await userEvent.keyboard("{Escape}");
    expect(above).toHaveBeenCalled();
    expect(below).not.toHaveBeenCalled();
  });

  it("are listed once for each deed, with all of its keys", () => {
    const run = vi.fn();
    const next = { does: "Next", run };
    render(
      <Page
        shortcuts={[
          { key: "j", ...next },
          { key: "ArrowDown", ...next },
          { key: "z", run },
        ]}
      />,
    );
    expect(listedShortcuts()).toEqual([{ does: "Next", keys: ["j", "ArrowDown"] }]);
  });
});
