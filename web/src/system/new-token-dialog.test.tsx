import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { NewTokenDialog } from "./new-token-dialog";

const sent: unknown[] = [];

beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("fetch", async (request: Request) => {
    sent.push(JSON.parse(await request.text()));
    return new Response(JSON.stringify({ name: "ci", secret: "secret" }), {
      status: 201,
      headers: { "Content-Type": "application/json" },
    });
  });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <NewTokenDialog onClose={() => {}} />
      </QueryClientProvider>
    </MantineProvider>,
  );
});

const days = () => screen.getByLabelText("Days until it expires");
const make = () => screen.getByRole("button", { name: "Create token" });

describe("the life of a new token", () => {
  it.each(["-", "", "0", "."])("of %o days is none: no token is made", async (text) => {
    await userEvent.type(screen.getByLabelText("Name"), "ci");
    await userEvent.clear(days());
    if (text !== "") await userEvent.type(days(), text);
    expect(make()).toBeDisabled();
    await userEvent.type(days(), "{Enter}");
    expect(sent).toEqual([]);
  });

  it("is the days given", async () => {
    await userEvent.type(screen.getByLabelText("Name"), "ci");
    await userEvent.clear(days());
    await userEvent.type(days(), "7");
    await userEvent.click(make());
    await waitFor(() => expect(sent).toEqual([{ name: "ci", scope: "read", days: 7 }]));
  });

  it("has no end where that is chosen", async () => {
    await userEvent.type(screen.getByLabelText("Name"), "ci");
    await userEvent.click(screen.getByLabelText("Never expires"));
    await userEvent.click(make());
    await waitFor(() => expect(sent).toEqual([{ name: "ci", scope: "read", days: null }]));
  });
});
