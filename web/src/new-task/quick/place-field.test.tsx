import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { LauncherSummary } from "~/api/system";
import { missingText, optionsOf, PlaceField } from "./place-field";

const THERE = { available: true, allowed: true, problem: "", remedy: "" };
const LOCAL: LauncherSummary = { ...THERE, name: "local", about: "processes of this machine" };
const DOCKER: LauncherSummary = {
  name: "docker",
  available: false,
  allowed: true,
  about: "",
  problem: "no Docker daemon listens at unix:///var/run/docker.sock",
  remedy: "start it",
};
const REPLAY: LauncherSummary = { ...THERE, name: "replay", about: "recorded launches" };
const ALL = [LOCAL, DOCKER, REPLAY];

const chosen: string[] = [];

function show(value: string | null) {
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <PlaceField value={value} onChange={(name) => chosen.push(name)} fault={null} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

beforeEach(() => {
  chosen.length = 0;
  vi.stubGlobal(
    "fetch",
    async () =>
      new Response(JSON.stringify({ items: ALL }), {
        headers: { "Content-Type": "application/json" },
      }),
  );
});

describe("where the engine runs", () => {
  it("is this machine where the document says nothing, with what is there", async () => {
    show(null);
    expect(await screen.findByText("processes of this machine")).toBeVisible();
    expect(screen.getByRole("textbox", { name: "Where the engine runs" })).toHaveValue(
      "This machine",
    );
  });

  it("says what is missing of what is chosen, and what to do", async () => {
    show("docker");
    expect(await screen.findByText(/no Docker daemon listens at .*start it/)).toBeVisible();
  });

  it("can be chosen, also where it is not available here", async () => {
    show(null);
    await screen.findByText("processes of this machine");
    await userEvent.click(screen.getByRole("textbox", { name: "Where the engine runs" }));
    await userEvent.click(await screen.findByText("Containers, not available here"));
    expect(chosen).toEqual(["docker"]);
  });

  it("offers a replay only where the document is one, and keeps a name that nobody knows", () => {
    const names = (value: string) => optionsOf(ALL, value).map((option) => option.value);
    expect(names("local")).toEqual(["local", "docker"]);
    expect(names("replay")).toEqual(["local", "docker", "replay"]);
    expect(names("slurm")).toEqual(["slurm", "local", "docker"]);
  });

  it("names the policy where that is what stands against it", () => {
    expect(missingText({ ...LOCAL, allowed: false })).toMatch(/policy/);
    expect(missingText(LOCAL)).toBe("");
  });
});
