/** What the command palette finds. */

import { type IconPlus, IconTargetArrow } from "@tabler/icons-react";
import type { TaskItem } from "~/api/tasks";
import { statusLabel } from "~/ui/status-badge";

export interface Command {
  id: string;
  label: string;
  description?: string;
  Icon: typeof IconPlus;
  run: () => void;
}

/** Commands that have every word that was typed. */
export function thoseNamed(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ label, description }) => {
    const named = `${label} ${description ?? ""}`.toLowerCase();
    return words.every((word) => named.includes(word));
  });
}

/** Tasks that the service found, and the one whose number was typed. */
export function taskCommands(
  tasks: readonly TaskItem[],
  text: string,
  open: (id: number) => void,
): Command[] {
  const found = tasks.map((task) => ({
    id: `task-${task.id}`,
    label: `${task.id} ${task.name}`,
    description: `${statusLabel(task.status)} · ${task.model} · ${task.engine}`,
    Icon: IconTargetArrow,
    run: () => open(task.id),
  }));
  const id = Number(text.trim().replace(/^#/, ""));
  const isNumber = Number.isSafeInteger(id) && id > 0;
  if (!isNumber || tasks.some((task) => task.id === id)) return found;
  const named = {
    id: `task-${id}`,
    label: `Task ${id}`,
    Icon: IconTargetArrow,
    run: () => open(id),
  };
  return [named, ...found];
}
