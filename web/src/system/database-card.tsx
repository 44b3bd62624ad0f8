import { Anchor, Button, List, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { backupAddress, backupsQuery, createBackup, systemQuery } from "~/api/system";
import { ErrorNotice } from "~/ui/error-notice";
import { counted, gibibytes, moment } from "~/ui/format";
import { SystemCard } from "./card";
import classes from "./system.module.css";

const GIB = 2 ** 30;
const KINDS = { sqlite: "SQLite", postgresql: "PostgreSQL" };
const SHOWN = 8;

/** The database: its size, its rows, and backups of it for who may do everything. */
export function DatabaseCard({ isAdmin }: { isAdmin: boolean }) {
  const query = useQuery(systemQuery);
  return (
    <SystemCard id="system-database" title="Database" query={query}>
      {({ database, counts }) => (
        <>
          <dl className={classes.facts}>
            <dt>Kind</dt>
            <dd>{KINDS[database.kind]}</dd>
            <dt>Size</dt>
            <dd>{gibibytes(database.size_bytes / GIB)}</dd>
            <dt>Schema</dt>
            <dd>
              {database.revision ?? "none"}
              {database.revision === database.newest_revision ? ", the newest" : ""}
            </dd>
            <dt>Holds</dt>
            <dd>
              {counted(sum(counts.tasks), "task")}, {counted(sum(counts.experiments), "experiment")}
              , {counted(counts.measurements, "measurement")},{" "}
              {counted(counts.observations, "observation")}, {counted(counts.events, "event")}
            </dd>
          </dl>
          {isAdmin && <Backups />}
        </>
      )}
    </SystemCard>
  );
}

const sum = (numbers: Record<string, number>) =>
  Object.values(numbers).reduce((total, each) => total + each, 0);

function Backups() {
  const queries = useQueryClient();
  const query = useQuery(backupsQuery);
  const making = useMutation({
    mutationFn: createBackup,
    onSuccess: () => queries.invalidateQueries({ queryKey: backupsQuery.queryKey }),
  });
  return (
    <Stack gap="xs" mt="sm" align="flex-start">
      <Button
        size="xs"
        variant="default"
        loading={making.isPending}
        onClick={() => making.mutate()}
      >
        Back up now
      </Button>
      {making.isError && <ErrorNotice error={making.error} />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.data?.length === 0 && (
        <Text size="xs" className="quiet">
          There is no backup yet. One is a copy in the home's backups/, made while tasks run.
        </Text>
      )}
      <List size="xs" listStyleType="none" aria-label="Backups">
        {query.data?.slice(0, SHOWN).map(({ name, size_bytes, created_at }) => (
          <List.Item key={name}>
            <Anchor size="xs" href={backupAddress(name)} download={name} underline="always">
              {name}
            </Anchor>{" "}
            <span className="quiet">
              {gibibytes(size_bytes / GIB)}, {moment(created_at)}
            </span>
          </List.Item>
        ))}
      </List>
    </Stack>
  );
}
