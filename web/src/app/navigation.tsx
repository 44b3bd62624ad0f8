import { ActionIcon, Menu } from "@mantine/core";
import { IconMenu2 } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import classes from "./navigation.module.css";

/** Pages that the header leads to, in its order. */
const PAGES = [
  { to: "/start", label: "Start", isExact: true },
  { to: "/tasks", label: "Tasks", isExact: true },
  { to: "/profiles", label: "Profiles", isExact: false },
  { to: "/compare", label: "Compare", isExact: false },
  { to: "/verify", label: "Verify", isExact: false },
  { to: "/migration", label: "Migration", isExact: false },
  { to: "/system", label: "System", isExact: false },
] as const;

/** Links to the pages; where they have no room, a menu of them. */
export function Navigation() {
  return (
    <>
      <div className={classes.links}>
        {PAGES.map(({ to, label, isExact }) => (
          <Link
            key={to}
            to={to}
            search={{}}
            className={classes.link}
            activeOptions={{ exact: isExact, includeSearch: false }}
            activeProps={{ "aria-current": "page" }}
          >
            {label}
          </Link>
        ))}
      </div>
      <div className={classes.menu}>
        <Menu position="bottom-start" withInitialFocusPlaceholder={false}>
          <Menu.Target>
            <ActionIcon variant="default" size={30} aria-label="Pages">
              <IconMenu2 size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {PAGES.map(({ to, label }) => (
              <Menu.Item key={to} renderRoot={(props) => <Link to={to} search={{}} {...props} />}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
    </>
  );
}
