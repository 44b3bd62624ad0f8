import { Button, Group, Text } from "@mantine/core";
import { Dialog } from "~/ui/dialog";
import { counted } from "~/ui/format";
import type { ActionTarget } from "./verbs";

interface RestartDialogProps {
  tasks: readonly ActionTarget[];
  onRestart: () => void;
  onClose: () => void;
}

/** Asks before measurements are removed. */
export default function RestartDialog({ tasks, onRestart, onClose }: RestartDialogProps) {
  const lost = tasks.reduce((sum, task) => sum + task.experiments.total, 0);
  const isOne = tasks.length === 1;
  return (
    <Dialog
      onClose={onClose}
      title={isOne ? `Restart task ${tasks[0]?.id}` : `Restart ${counted(tasks.length, "task")}`}
    >
      <Text size="sm">
        {isOne ? "It begins" : "They begin"} anew, and what was measured is removed:{" "}
        {counted(lost, "experiment")}. To keep the results, clone the task instead.
      </Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep the results
        </Button>
        <Button
          color="red"
          onClick={() => {
            onClose();
            onRestart();
          }}
        >
          Restart
        </Button>
      </Group>
    </Dialog>
  );
}
