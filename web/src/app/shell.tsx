import { ActionIcon, Anchor, AppShell, Button, Group, Text, Tooltip } from "@mantine/core";
import { IconCommand, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { ActionsProvider } from "~/actions/actions-provider";
import { LiveProvider } from "~/api/live";
import { type BrowserSession, sessionQuery } from "~/api/session";
import { SessionMenu } from "~/session/session-menu";
import { ErrorNotice } from "~/ui/error-notice";
import { ColorSchemeToggle } from "./color-scheme-toggle";
import { CommandPalette, openPalette } from "./command-palette";
import { Navigation } from "./navigation";
import { OfflineBanner } from "./offline-banner";
import { PageLoading } from "./page-loading";
import { PageTitle } from "./page-title";
import classes from "./shell.module.css";
import { useShortcuts } from "./shortcuts";
import { Shortcuts } from "./shortcuts-dialog";

const SignInPage = lazy(async () => ({ default: (await import("~/session/sign-in")).SignInPage }));
const SignInAgain = lazy(async () => ({
  default: (await import("~/session/sign-in")).SignInAgain,
}));

/** Signs the reader in, and keeps the page under the form when a session lapses meanwhile. */
export function Shell() {
  const session = useQuery(sessionQuery);
  const [wasSignedIn, setWasSignedIn] = useState(false);
  if (!session.data) {
    const problem = session.error ?? session.failureReason;
    if (problem === null) return <PageLoading />;
    return (
      <div className={classes.alone}>
        <ErrorNotice error={problem} onRetry={() => void session.refetch()} />
      </div>
    );
  }
  const isSignedIn = session.data.authenticated;
  if (isSignedIn && !wasSignedIn) setWasSignedIn(true);
  if (!isSignedIn && !wasSignedIn) {
    return (
      <Suspense fallback={<PageLoading />}>
        <SignInPage />
      </Suspense>
    );
  }
  return (
    <LiveProvider isSignedIn={isSignedIn}>
      <ActionsProvider>
        <Frame session={session.data} />
        <Suspense>{!isSignedIn && <SignInAgain />}</Suspense>
      </ActionsProvider>
    </LiveProvider>
  );
}

/** Frame of every page. */
function Frame({ session }: { session: BrowserSession }) {
  const navigate = useNavigate();
  useShortcuts([
    { key: "n", does: "New task", run: () => void navigate({ to: "/tasks/new", search: {} }) },
  ]);
  return (
    <AppShell header={{ height: 48 }} padding={0}>
      <PageTitle />
      <Shortcuts />
      <CommandPalette />
      <AppShell.Header className={classes.header}>
        <Anchor href="#content" className={classes.skip}>
          Skip to the content
        </Anchor>
        <Group h="100%" px="md" gap="xs" wrap="nowrap" component="nav" aria-label="Main">
          <Link to="/tasks" search={{}} className={classes.brand} aria-label="Inference Autotuner">
            <img src="/favicon.svg" alt="" width={22} height={22} />
            <Text fw={650} visibleFrom="sm">
              Inference Autotuner
            </Text>
          </Link>
          <Navigation />
          <span className={classes.space} />
          <Button
            component={Link}
            to="/tasks/new"
            size="xs"
            px={{ base: 8, xs: "sm" }}
            aria-label="New task"
          >
            <IconPlus size={14} aria-hidden />
            <Text span inherit ml={6} visibleFrom="xs">
              New task
            </Text>
          </Button>
          <Tooltip label="Commands and search (Ctrl K)">
            <ActionIcon
              variant="default"
              size={30}
              onClick={openPalette}
              aria-label="Commands and search"
            >
              <IconCommand size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <ColorSchemeToggle />
          <SessionMenu session={session} />
        </Group>
      </AppShell.Header>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <OfflineBanner />
        <div className={classes.content}>
          <Outlet />
        </div>
      </AppShell.Main>
    </AppShell>
  );
}
