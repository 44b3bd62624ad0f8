import { MantineProvider, Table } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import type { LauncherSummary } from "~/api/system";
import { LauncherRow } from "./launchers-card";

const MISSING: LauncherSummary = {
  name: "ray",
  available: false,
  allowed: true,
  about: "",
  problem: "the launcher 'ray' is not installed here",
  remedy: "pip install 'inference-autotuner[ray]'",
};

function show(launcher: LauncherSummary) {
  render(
    <MantineProvider env="test">
      <Table>
        <Table.Tbody>
          <LauncherRow launcher={launcher} />
        </Table.Tbody>
      </Table>
    </MantineProvider>,
  );
}

it("a launcher that is missing is shown with why, and what to do", () => {
  show(MISSING);
  expect(screen.getByText("missing")).toBeVisible();
  expect(screen.getByText(MISSING.problem)).toBeVisible();
  expect(screen.getByText(`Remedy: ${MISSING.remedy}`)).toBeVisible();
});

it("a command of a remedy is shown as one", () => {
  show({ ...MISSING, remedy: "start it (`sudo systemctl start docker`)" });
  expect(screen.getByText("sudo systemctl start docker").tagName).toBe("CODE");
});

it("one that is there is shown with where engines run", () => {
  show({ ...MISSING, available: true, about: "nodes of a cluster", problem: "", remedy: "" });
  expect(screen.getByText("available")).toBeVisible();
  expect(screen.getByText("nodes of a cluster")).toBeVisible();
  expect(screen.queryByText(/Remedy/)).toBeNull();
});

it("one that the policy forbids is marked so, available or not", () => {
  show({ ...MISSING, allowed: false });
  expect(screen.getByText("forbidden")).toBeVisible();
});
