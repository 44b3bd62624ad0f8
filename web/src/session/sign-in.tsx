import { Button, Card, Group, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { sessionQuery, signIn } from "~/api/session";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import classes from "./sign-in.module.css";

/** Form for the token that a service on other machines asks for. */
export function SignInPage() {
  return (
    <Card className={`card ${classes.page}`} p="lg" component="main">
      <Stack>
        <Group gap={8} wrap="nowrap">
          <img src="/favicon.svg" alt="" width={22} height={22} />
          <Text fw={650}>Inference Autotuner</Text>
        </Group>
        <Title order={1} fz="xl">
          Sign in
        </Title>
        <SignInForm
          why={
            <>
              This service asks for a token. Its operator makes one with{" "}
              <code>autotuner token create</code>. The browser keeps a session, not the token.
            </>
          }
        />
      </Stack>
    </Card>
  );
}

/** The same form over a page whose session has lapsed: what was typed there stays. */
export function SignInAgain() {
  return (
    <Dialog onClose={() => {}} withCloseButton={false} title="Sign in again">
      <SignInForm why="Your session has ended. What you typed on this page is kept." />
    </Dialog>
  );
}

function SignInForm({ why }: { why: ReactNode }) {
  const queries = useQueryClient();
  const [token, setToken] = useState("");
  const entering = useMutation({
    mutationFn: () => signIn(token.trim()),
    onSuccess: (session) => {
      setToken("");
      queries.setQueryData(sessionQuery.queryKey, session);
      void queries.invalidateQueries();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        entering.mutate();
      }}
    >
      <Stack>
        <Text className="quiet" size="sm">
          {why}
        </Text>
        <PasswordInput
          label="Token"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoComplete="current-password"
          autoFocus
          data-autofocus
          required
          withAsterisk={false}
        />
        {entering.isError && <ErrorNotice error={entering.error} />}
        <Button type="submit" loading={entering.isPending} disabled={token.trim() === ""}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
