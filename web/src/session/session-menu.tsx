import { ActionIcon, Menu } from "@mantine/core";
import { IconLogout, IconUser } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { type BrowserSession, signOut } from "~/api/session";

/** Who the reader is, and the way out; nothing where the service asks nobody. */
export function SessionMenu({ session }: { session: BrowserSession }) {
  const queries = useQueryClient();
  if (!session.required) return null;
  const leave = async () => {
    await signOut();
    queries.clear();
    await queries.invalidateQueries();
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label="Your session">
          <IconUser size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label className="text-of-users">
          {session.name ?? "Token"}, may {session.scope ?? "read"}
        </Menu.Label>
        <Menu.Item leftSection={<IconLogout size={14} aria-hidden />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
