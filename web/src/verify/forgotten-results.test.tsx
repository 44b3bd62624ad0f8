import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { renderApp } from "~/app/testing";

const ID = "0123456789abcdef";
const FILE = {
  id: ID,
  name: "mine.csv",
  format: "csv",
  points: 2,
  excluded: 0,
  bytes: 100,
  added_at: "2026-01-01T00:00:00Z",
};

it("results that others share are forgotten only by who confirms it", async () => {
  const { asked } = renderApp(`/verify?actual=file:${ID}`, ({ method, path }) => {
    if (path === "/api/v2/verify/files") return { body: { items: [FILE], formats: {} } };
    if (path.startsWith("/api/v2/verify/files/") && method === "DELETE") return { status: 204 };
    return undefined;
  });
  const sent = () => asked.filter(({ method }) => method === "DELETE").map(({ path }) => path);
  const bin = await screen.findByRole("button", { name: /^Delete the results/ });
  await userEvent.click(bin);
  await userEvent.click(await screen.findByRole("button", { name: "Keep them" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent()).toEqual([]);
  await userEvent.click(bin);
  await userEvent.click(await screen.findByRole("button", { name: "Delete them" }));
  await waitFor(() => expect(sent()).toEqual([`/api/v2/verify/files/${ID}`]));
});
