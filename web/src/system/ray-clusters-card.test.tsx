import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { ClusterView, reservedText } from "./ray-clusters-card";

describe("what is reserved of a node", () => {
  it("is said beside all that there is", () => {
    expect(reservedText({ name: "GPU", total: 2, reserved: 1 })).toBe("GPU: 1 of 2");
    expect(reservedText({ name: "memory", total: 22.9, reserved: 0.5 })).toMatch(
      /^memory: 512\sMiB of 22\.9\sGiB$/,
    );
  });

  it("is not made up where the cluster does not say it", () => {
    expect(reservedText({ name: "CPU", total: 8, reserved: null })).toBe(
      "CPU: 8, reserved not known",
    );
  });
});

it("a cluster of another machine is shown with that machine, and that it is not asked", () => {
  render(
    <MantineProvider env="test">
      <ClusterView
        cluster={{
          address: "auto",
          host: "gpu-8",
          task_ids: [],
          problem: "the cluster of gpu-8, which is not asked from here",
          remedy: "`ray status` on gpu-8",
          nodes: [],
        }}
      />
    </MantineProvider>,
  );
  expect(screen.getByText(/^Cluster/)).toHaveTextContent("Cluster auto on gpu-8: no task runs");
  expect(screen.getByText(/not asked from here/)).toBeVisible();
});
