import { useQuery } from "@tanstack/react-query";
import { systemQuery } from "~/api/system";
import { counted, gibibytes } from "~/ui/format";
import { Backups } from "./backups";
import { SystemCard } from "./card";
import classes from "./system.module.css";

const GIB = 2 ** 30;
const KINDS = { sqlite: "SQLite", postgresql: "PostgreSQL" };

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
              {database.revision === database.newest_revision ? ", up to date" : ""}
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
