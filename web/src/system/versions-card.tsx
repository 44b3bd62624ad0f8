import { useQuery } from "@tanstack/react-query";
import { versionsQuery } from "~/api/system";
import { SystemCard } from "./card";
import classes from "./system.module.css";

/** Versions on the service's machine. */
export function VersionsCard() {
  const query = useQuery(versionsQuery);
  return (
    <SystemCard id="system-versions" title="Versions" query={query}>
      {({ autotuner, python, database, engines, predictors, libraries }) => (
        <dl className={classes.facts}>
          <dt>Inference Autotuner</dt>
          <dd>{autotuner}</dd>
          {Object.entries(engines).map(([name, version]) => (
            <Version key={name} name={name} version={version} />
          ))}
          {Object.entries(predictors).map(([name, version]) => (
            <Version key={name} name={name} version={version} />
          ))}
          <Version name="Database" version={database} />
          <Version name="Python" version={python} />
          {Object.entries(libraries).map(([name, version]) => (
            <Version key={name} name={name} version={version} />
          ))}
        </dl>
      )}
    </SystemCard>
  );
}

function Version({ name, version }: { name: string; version: string | null }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{version ?? <span className="quiet">not installed</span>}</dd>
    </>
  );
}
