import { Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { sessionQuery } from "~/api/session";
import { usageQuery } from "~/api/system";
import { ErrorNotice } from "~/ui/error-notice";
import { isOffline } from "./card";
import { ContainersCard } from "./containers-card";
import { DatabaseCard } from "./database-card";
import { HealthCard } from "./health-card";
import { LaunchersCard } from "./launchers-card";
import { DevicesCard, WorkersCard } from "./machines-card";
import { PolicyCard } from "./policy-card";
import { QueueCard } from "./queue-card";
import { ClustersCard } from "./ray-clusters-card";
import classes from "./system.module.css";
import { TokensCard } from "./tokens-card";
import { UsageCard } from "./usage-card";
import { VersionsCard } from "./versions-card";

/** The service for who runs it; tokens and backups are for who may do everything. */
export function SystemPage() {
  const isAdmin = useQuery(sessionQuery).data?.scope === "admin";
  const queries = useQueryClient();
  const usage = useQuery(usageQuery());
  const isGone = isOffline(usage.error);
  // What does not renew itself is read again once the service is back.
  useEffect(() => {
    if (!isGone) return;
    return () => {
      for (const subject of ["system", "devices", "tokens"]) {
        void queries.invalidateQueries({ queryKey: [subject] });
      }
    };
  }, [isGone, queries]);
  return (
    <div className="page">
      <Title order={1} fz="xl">
        System
      </Title>
      <Text size="sm" className="quiet" mb="sm">
        The service, its machines and its workers.
      </Text>
      {isGone && (
        <div className={classes.notice}>
          <ErrorNotice error={usage.error} onRetry={() => void usage.refetch()} />
        </div>
      )}
      <div className={classes.cards}>
        <UsageCard />
        <QueueCard />
        <HealthCard />
        <WorkersCard />
        <DevicesCard />
        <LaunchersCard />
        <ContainersCard />
        <ClustersCard />
        <DatabaseCard isAdmin={isAdmin} />
        <PolicyCard />
        {isAdmin && <TokensCard />}
        <VersionsCard />
      </div>
    </div>
  );
}
