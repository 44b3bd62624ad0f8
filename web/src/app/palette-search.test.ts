import { IconPlus } from "@tabler/icons-react";
import { describe, expect, it, vi } from "vitest";
import { aTask } from "~/api/testing";
import { taskCommands, thoseNamed } from "./palette-search";

const command = (label: string, description?: string) => ({
  id: label,
  label,
  description,
  Icon: IconPlus,
  run: () => {},
});

describe("the command palette", () => {
  it("finds by words in any order, in label and description", () => {
    const commands = [command("Pause task 12", "nightly chat"), command("New task")];
    expect(thoseNamed(commands, "chat pause").map(({ label }) => label)).toEqual(["Pause task 12"]);
    expect(thoseNamed(commands, "")).toHaveLength(2);
    expect(thoseNamed(commands, "resume")).toEqual([]);
  });

  it("opens a task by its number, though the service finds none of that name", () => {
    const open = vi.fn();
    const [first] = taskCommands([aTask({ id: 4, name: "12 users" })], "12", open);
    first?.run();
    expect(open).toHaveBeenCalledWith(12);
  });

  it("shows a task once that was found by its number too", () => {
    expect(taskCommands([aTask({ id: 12 })], "#12", () => {})).toHaveLength(1);
  });
});
