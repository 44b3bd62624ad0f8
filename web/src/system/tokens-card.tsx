import { Badge, Button, Group, Stack, Table, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sessionQuery } from "~/api/session";
import { revokeToken, type Token, tokensQuery } from "~/api/system";
import { Dialog } from "~/ui/dialog";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { ago, moment } from "~/ui/format";
import { useServiceNow } from "~/ui/use-service-now";
import { SystemCard } from "./card";
import { NewTokenDialog } from "./new-token-dialog";
import { RIGHTS } from "./rights";
import classes from "./system.module.css";

/** Tokens of the API: who may do what, since when, used when; making and revoking them. */
export function TokensCard() {
  const query = useQuery(tokensQuery);
  const session = useQuery(sessionQuery).data;
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const nowMs = useServiceNow();
  return (
    <SystemCard
      id="system-tokens"
      title="Tokens"
      query={query}
      isWide
      aside={
        <Button size="xs" variant="default" onClick={() => setMaking(true)}>
          New token
        </Button>
      }
    >
      {(tokens) => (
        <>
          {tokens.length === 0 && (
            <EmptyState
              isSmall
              title="There are no tokens"
              text="None is needed on this machine. A service that other machines can reach requires one from everyone."
            />
          )}
          {tokens.length > 0 && (
            <Table className={classes.table} fz="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Token</Table.Th>
                  <Table.Th scope="col">Rights</Table.Th>
                  <Table.Th scope="col">State</Table.Th>
                  <Table.Th scope="col">Used</Table.Th>
                  <Table.Th scope="col">
                    <span className={classes.unseen}>Revoke</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {tokens.map((token) => (
                  <Table.Tr key={token.name}>
                    <Table.Th scope="row" className="text-of-users">
                      {token.name}
                      {token.name === session?.name && (
                        <Badge size="xs" variant="light" ml={6}>
                          yours
                        </Badge>
                      )}
                    </Table.Th>
                    <Table.Td data-label="Rights">{RIGHTS[token.scope].title}</Table.Td>
                    <Table.Td data-label="State">{stateText(token)}</Table.Td>
                    <Table.Td data-label="Used">
                      {token.last_used_at === null ? "never" : ago(token.last_used_at, nowMs)}
                    </Table.Td>
                    <Table.Td>
                      {token.state === "valid" && (
                        <Button
                          size="compact-xs"
                          variant="default"
                          aria-label={`Revoke ${token.name}`}
                          onClick={() => setRevoking(token)}
                        >
                          Revoke
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
          {isMaking && <NewTokenDialog onClose={() => setMaking(false)} />}
          {revoking && (
            <RevokeDialog
              token={revoking}
              isOwn={revoking.name === session?.name}
              onClose={() => setRevoking(null)}
            />
          )}
        </>
      )}
    </SystemCard>
  );
}

function stateText({ state, revoked_at, expires_at }: Token): string {
  if (state === "revoked") return `Revoked ${moment(revoked_at)}`;
  if (state === "expired") return `Expired ${moment(expires_at)}`;
  return expires_at === null ? "Valid, never expires" : `Valid until ${moment(expires_at)}`;
}

interface RevokeDialogProps {
  token: Token;
  isOwn: boolean;
  onClose: () => void;
}

/** Asks first: a token that is revoked does not come back. */
function RevokeDialog({ token, isOwn, onClose }: RevokeDialogProps) {
  const queries = useQueryClient();
  const revoking = useMutation({
    mutationFn: () => revokeToken(token.name),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
      if (isOwn) await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  return (
    <Dialog onClose={onClose} title={`Revoke ${token.name}`}>
      <Stack gap="sm">
        {revoking.isError && <ErrorNotice error={revoking.error} />}
        <Text size="sm">
          Within seconds, anyone who uses it is refused, and browsers that signed in with it are
          signed out. This cannot be undone, and the name cannot be used again.
        </Text>
        {isOwn && (
          <Text size="sm" fw={600}>
            You signed in with this token, so you will be signed out too.
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <Button color="red" loading={revoking.isPending} onClick={() => revoking.mutate()}>
            Revoke
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
