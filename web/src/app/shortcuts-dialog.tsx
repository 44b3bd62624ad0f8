import { Group, Kbd, Modal, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { listedShortcuts, press, useShortcuts } from "./shortcuts";

const SIGNS: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};
const ELSEWHERE = [{ does: "Commands and search", keys: ["Ctrl K", "/"] }];

/** Listens to the keys of the page, and shows what they do. */
export function Shortcuts() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  useShortcuts([{ key: "?", does: "Show these shortcuts", run: () => setOpen(true) }]);
  return (
    <Modal opened={isOpen} onClose={() => setOpen(false)} title="Keyboard shortcuts">
      <Stack gap="xs">
        {isOpen &&
          [...listedShortcuts(), ...ELSEWHERE].map(({ does, keys }) => (
            <Group key={does} justify="space-between" wrap="nowrap">
              <Text size="sm">{does}</Text>
              <Group gap={6} wrap="nowrap">
                {keys.map((key) => (
                  <Kbd key={key}>{SIGNS[key] ?? key}</Kbd>
                ))}
              </Group>
            </Group>
          ))}
      </Stack>
    </Modal>
  );
}
