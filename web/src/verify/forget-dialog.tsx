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
    <Dialog onClose={onClose} title="Forget these results">
      <Text size="sm" className="text-of-users">
        {name}
      </Text>
      <Text size="sm" mt="xs">
        They are gone for everybody who uses this service, and links to comparisons with them lead
        nowhere then. To compare them again, somebody has to upload them once more.
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
          Forget them
        </Button>
      </Group>
    </Dialog>
  );
}
