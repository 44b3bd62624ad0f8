import { Button, Card, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { signIn } from "~/api/session";
import { ErrorNotice } from "~/ui/error-notice";

/** Form for the token that a service on other machines asks for. */
export function SignIn() {
  const queries = useQueryClient();
  const [token, setToken] = useState("");
  const entering = useMutation({
    mutationFn: () => signIn(token.trim()),
    onSuccess: (session) => {
      setToken("");
      queries.setQueryData(["session"], session);
      void queries.invalidateQueries();
    },
  });
  return (
    <Card className="card" maw={420} mx="auto" mt="15vh" p="lg" component="main">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          entering.mutate();
        }}
      >
        <Stack>
          <Title order={1} fz="xl">
            Sign in
          </Title>
          <Text className="quiet">
            This service asks for a token. Its operator makes one with{" "}
            <code>autotuner token create</code>. The browser keeps a session, not the token.
          </Text>
          <PasswordInput
            label="Token"
            value={token}
            onChange={(event) => setToken(event.currentTarget.value)}
            autoComplete="current-password"
            autoFocus
            required
          />
          {entering.isError && <ErrorNotice error={entering.error} />}
          <Button type="submit" loading={entering.isPending} disabled={token.trim() === ""}>
            Sign in
          </Button>
        </Stack>
      </form>
    </Card>
  );
}
