import { expect, it } from "vitest";
import { usageText } from "./machines-card";

const USAGE = { cpu_percent: 12.4, memory_gib: 64, memory_used_gib: 8, gpus: [] };
const GPU = {
  name: "NVIDIA H100",
  memory_gib: 80,
  memory_used_gib: 70,
  power_w: null,
  temperature_c: null,
};

it("a worker's machine is described by what its last heartbeat reported, and by nothing older", () => {
  const plain = (text: string) => text.replaceAll("\u00a0", " ");
  expect(plain(usageText({ alive: true, usage: USAGE }))).toMatch(
    /^CPU 12.*%, memory 8.* of 64.*B$/,
  );
  const gpus = [
    { ...GPU, index: 0, use_percent: 40 },
    { ...GPU, index: 1, use_percent: 93 },
    { ...GPU, index: 2, use_percent: null },
  ];
  expect(plain(usageText({ alive: true, usage: { ...USAGE, gpus } }))).toMatch(
    /3 GPUs, the busiest 93 %$/,
  );
  expect(usageText({ alive: false, usage: USAGE })).toBe("");
  expect(usageText({ alive: true, usage: null })).toBe("");
});
