import { Button, Group, Text } from "@mantine/core";
import { Dialog } from "~/ui/dialog";

interface ForgetDialogProps {
  /** Of the results, as their sender called them. */
  name: string;
  onForget: () => void;
  onClose: () => void;
}

/** Asks before results are forgotten, which everybody who uses this service shares. */
export function ForgetDialog({ name, onForget, onClose }: ForgetDialogProps) {
  return (
    <Dialog onClose={onClose} title="Delete these results">
      <Text size="sm" className="text-of-users">
        {name}
      </Text>
      <Text size="sm" mt="xs">
        They will be deleted for everyone who uses this service, and links to comparisons with them
        will stop working. To compare them again, someone will have to add them again.
      </Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep them
        </Button>
        <Button
          color="red"
          onClick={() => {
            onClose();
            onForget();
          }}
        >
          Delete them
        </Button>
      </Group>
    </Dialog>
  );
}
