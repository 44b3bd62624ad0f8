import { ActionIcon, Anchor, AppShell, Button, Group, Text, Tooltip } from "@mantine/core";
import { IconCommand, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { LiveProvider } from "~/api/live";
import { sessionQuery } from "~/api/session";
import { SessionMenu } from "~/session/session-menu";
import { SignIn } from "~/session/sign-in";
import { ErrorNotice } from "~/ui/error-notice";
import { ColorSchemeToggle } from "./color-scheme-toggle";
import { CommandPalette, openPalette } from "./command-palette";
import { OfflineBanner } from "./offline-banner";
import { PageLoading } from "./page-loading";
import classes from "./shell.module.css";

/** Frame of every page: signs the reader in, then follows events while the page is open. */
export function Shell() {
  const session = useQuery(sessionQuery);
  if (session.isPending) return <PageLoading />;
  if (session.isError) {
    return (
      <div className={classes.alone}>
        <ErrorNotice error={session.error} onRetry={() => void session.refetch()} />
      </div>
    );
  }
  if (!session.data.authenticated) return <SignIn />;
  return (
    <LiveProvider>
      <CommandPalette />
      <AppShell header={{ height: 48 }} padding={0}>
        <AppShell.Header className={classes.header}>
          <Anchor href="#content" className={classes.skip}>
            Skip to the content
          </Anchor>
          <Group h="100%" px="md" gap="md" wrap="nowrap" component="nav" aria-label="Main">
            <Link to="/tasks" search={{}} className={classes.brand}>
              <img src="/favicon.svg" alt="" width={22} height={22} />
              <Text fw={650} visibleFrom="xs">
                Inference Autotuner
              </Text>
            </Link>
            <Link
              to="/tasks"
              search={{}}
              className={classes.link}
              activeProps={{ "aria-current": "page" }}
            >
              Tasks
            </Link>
            <span className={classes.space} />
            <Button
              component={Link}
              to="/tasks/new"
              size="xs"
              leftSection={<IconPlus size={14} aria-hidden />}
            >
              New task
            </Button>
            <Tooltip label="Commands (Ctrl K)">
              <ActionIcon variant="default" size={30} onClick={openPalette} aria-label="Commands">
                <IconCommand size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <ColorSchemeToggle />
            <SessionMenu session={session.data} />
          </Group>
        </AppShell.Header>
        <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
          <OfflineBanner />
          <Outlet />
        </AppShell.Main>
      </AppShell>
    </LiveProvider>
  );
}
