import { Button, MantineProvider, Menu } from "@mantine/core";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { Dialog } from "./dialog";

function Page() {
  const [isOpen, setOpen] = useState(false);
  return (
    <MantineProvider env="test">
      <Button onClick={() => setOpen(true)}>Import</Button>
      <Menu>
        <Menu.Target>
          <Button>More</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setOpen(true)}>Rename</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isOpen && (
        <Dialog title="Ask" onClose={() => setOpen(false)}>
          <Button>Answer</Button>
        </Dialog>
      )}
    </MantineProvider>
  );
}

/** Until then a menu may move the focus to its button. */
const MENU_IS_DONE_MS = 100;

const focusIsIn = (name: string) =>
  waitFor(() => expect(screen.getByRole("button", { name })).toHaveFocus());

describe("a dialog", () => {
  it("gives the focus back to the button that opened it", async () => {
    render(<Page />);
    screen.getByText("Import").closest("button")?.focus();
    await userEvent.keyboard("{Enter}");
    expect(await screen.findByRole("dialog", { name: "Ask" })).toBeInTheDocument();
    await userEvent.keyboard("{Escape}");
    await focusIsIn("Import");
  });

  it("has a button that closes it, by name", async () => {
    render(<Page />);
    await userEvent.click(screen.getByText("Import"));
    await userEvent.click(await screen.findByRole("button", { name: "Close the dialog" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("gives it back to the button of the menu that it was chosen from", async () => {
    render(<Page />);
    screen.getByText("More").closest("button")?.focus();
    await userEvent.keyboard("{Enter}");
    (await screen.findByRole("menuitem", { name: "Rename" })).focus();
    await userEvent.keyboard("{Enter}");
    const dialog = await screen.findByRole("dialog", { name: "Ask" });
    await new Promise((done) => setTimeout(done, MENU_IS_DONE_MS));
    expect(dialog).toContainElement(document.activeElement as HTMLElement);
    await userEvent.keyboard("{Escape}");
    await focusIsIn("More");
  });
});
