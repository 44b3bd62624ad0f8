import { ActionIcon, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconLogout, IconUser } from "@tabler/icons-react";
import { useTaskActions } from "~/actions/actions-provider";
import { type BrowserSession, signOut } from "~/api/session";

const MAY: Record<string, string> = {
  read: "may read",
  write: "may read and change tasks",
  admin: "may do everything",
};

/** Who the reader is, and the way out; nothing where the service asks nobody. */
export function SessionMenu({ session }: { session: BrowserSession }) {
  const { deletions } = useTaskActions();
  if (!session.required) return null;
  const leave = async () => {
    try {
      await deletions.flush();
      await signOut();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      notifications.show({ color: "red", title: "You are still signed in", message });
      return;
    }
    // A new page knows nothing of what this reader saw.
    location.assign("/");
  };
  return (
    <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label="Your session">
          <IconUser size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label className="text-of-users">
          {session.name ?? "This token"} {MAY[session.scope ?? "read"]}
        </Menu.Label>
        <Menu.Item leftSection={<IconLogout size={14} aria-hidden />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
