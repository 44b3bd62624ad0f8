import { MantineProvider, Table } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import type { Container } from "~/api/system";
import { ContainerRow } from "./containers-card";

const RECORDED: Container = {
  name: "autotuner-vllm-1",
  image: null,
  task_id: null,
  host: null,
  state: null,
  created_at: "2026-01-02T03:04:05Z",
};

function show(container: Container) {
  render(
    <MantineProvider env="test">
      <Table>
        <Table.Tbody>
          <ContainerRow container={container} nowMs={Date.parse("2026-01-02T03:05:05Z")} />
        </Table.Tbody>
      </Table>
    </MantineProvider>,
  );
}

it("a container that its daemon describes is shown with its image and state", () => {
  show({ ...RECORDED, image: "vllm/vllm-openai:v1", state: "running" });
  expect(screen.getByText("vllm/vllm-openai:v1")).toBeVisible();
  expect(screen.getByText("running")).toBeVisible();
});

it("one of another daemon is shown with the machine of its worker", () => {
  show({ ...RECORDED, host: "gpu-8" });
  expect(screen.getByText(/another daemon, by a worker on gpu-8; not asked/)).toBeVisible();
});

it("one whose daemon does not answer is shown as its worker has recorded it", () => {
  show(RECORDED);
  expect(screen.getByText("as its worker has recorded it")).toBeVisible();
});
