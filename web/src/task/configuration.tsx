import { Alert, SegmentedControl, Stack, Switch, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type ConfigurationVariant, configurationQuery } from "~/api/results";
import { PageLoading } from "~/app/page-loading";
import { ErrorNotice } from "~/ui/error-notice";
import { fieldName, setting } from "~/ui/format";
import classes from "./configuration.module.css";
import { GroupTable } from "./group-table";
import { groupsOf, isSet, otherParts } from "./provenance";
import { useTask } from "./task-context";
import { TaskFile } from "./task-file";

/** What the task is made of: every value with where it comes from, and the document itself. */
export function Configuration() {
  const task = useTask();
  const { data, error, isPending, refetch } = useQuery(configurationQuery(task.id));
  if (isPending) return <PageLoading />;
  return (
    <div className={classes.layout}>
      <Stack gap="md">
        {data === undefined && <ErrorNotice error={error} onRetry={() => void refetch()} />}
        {data?.unresolved && (
          <Alert
            color="gray"
            variant="light"
            title="Shown are the values of the task file and of its launches"
          >
            <Text size="sm" className="text-of-users">
              The layers that set each value cannot be read here: {data.unresolved}
            </Text>
          </Alert>
        )}
        {data && <Variants variants={data.variants} />}
        <Others />
      </Stack>
      <TaskFile />
    </div>
  );
}

function Variants({ variants }: { variants: readonly ConfigurationVariant[] }) {
  const [chosen, setChosen] = useState(0);
  const [showsUnset, setShowsUnset] = useState(false);
  const variant = variants[chosen] ?? variants[0];
  if (variant === undefined) return null;
  const groups = groupsOf(variant)
    .map(({ group, rows }) => ({ group, rows: showsUnset ? rows : rows.filter(isSet) }))
    .filter(({ rows }) => rows.length > 0);
  return (
    <>
      {variants.length > 1 && (
        <SegmentedControl
          aria-label="Engine and combination"
          value={String(chosen)}
          onChange={(value) => setChosen(Number(value))}
          data={variants.map((one, place) => ({ value: String(place), label: titleOf(one) }))}
        />
      )}
      <Switch
        size="sm"
        label="Show fields that are not set"
        checked={showsUnset}
        onChange={(event) => setShowsUnset(event.currentTarget.checked)}
      />
      {variant.warnings.length > 0 && (
        <Alert color="yellow" variant="light" title="Values that the engine cannot express">
          {variant.warnings.map((warning) => (
            <Text key={warning} size="sm" className="text-of-users">
              {warning}
            </Text>
          ))}
        </Alert>
      )}
      {groups.map(({ group, rows }) => (
        <GroupTable key={group} group={group} rows={rows} />
      ))}
      {variant.skipped.length > 0 && (
        <section className="card card-body">
          <Title order={2} fz="md" mb={4}>
            Layers that do not apply here
          </Title>
          {variant.skipped.map(({ layer, reason }) => (
            <Text key={layer + reason} size="sm" className="text-of-users">
              <strong>{layer}:</strong> {reason}
            </Text>
          ))}
        </section>
      )}
    </>
  );
}

function titleOf({ engine, engine_version: version, combination }: ConfigurationVariant): string {
  const settings = Object.entries(combination)
    .filter(([path]) => path !== "system.backend")
    .map(([path, value]) => `${fieldName(path)} ${setting(value)}`);
  return [`${engine} ${version}`.trim(), ...settings].join(", ");
}

function Others() {
  const { config } = useTask();
  const parts = otherParts(config);
  return (
    <section className="card card-body" aria-labelledby="others">
      <Title order={2} fz="md" id="others" mb={4}>
        Model, goal, measurement
      </Title>
      <table className={classes.table}>
        <tbody>
          {parts.map(([path, value]) => (
            <tr key={path}>
              <th scope="row">{path}</th>
              <td className={classes.value}>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
