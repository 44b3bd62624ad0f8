import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { failedExperimentsQuery } from "~/api/failures";
import { counted, setting } from "~/ui/format";
import classes from "./failures.module.css";

interface FailuresProps {
  taskId: number;
  varying: readonly string[];
}

const MOST = 40;

/** Launches that failed and so have no point: a strip beneath the chart, in their order. */
export function Failures({ taskId, varying }: FailuresProps) {
  const failed = useQuery(failedExperimentsQuery(taskId));
  const items = failed.data ?? [];
  if (items.length === 0) return null;
  return (
    <ul className={classes.strip} aria-label="Launches that failed">
      <li className={classes.title}>
        <IconAlertTriangle size={13} aria-hidden />{" "}
        {counted(items.length, "launch failed", "launches failed")}
      </li>
      {items
        .slice(0, MOST)
        .map(({ index, failure_kind: kind, failure_message: message, settings }) => {
          const differs = varying
            .filter((name) => name in settings)
            .map((name) => `${name.split(".").at(-1)} ${setting(settings[name])}`)
            .join(", ");
          return (
            <li key={index}>
              <Link
                to="/tasks/$taskId/experiments/$index"
                params={{ taskId, index }}
                className={`text-of-users ${classes.failure}`}
                title={[message, differs].filter(Boolean).join("\n")}
              >
                #{index} {(kind ?? "failed").replaceAll("_", " ")}
              </Link>
            </li>
          );
        })}
      {items.length > MOST && (
        <li className="quiet">and {items.length - MOST} more, among the experiments</li>
      )}
    </ul>
  );
}
