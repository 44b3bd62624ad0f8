import { Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type LauncherSummary, launchersQuery } from "~/api/system";
import classes from "./quick.module.css";

interface PlaceFieldProps {
  /** What the document says; null where it says nothing. */
  value: string | null;
  onChange: (launcher: string) => void;
  fault: string | null;
}

const USUAL = "local";
const REPLAY = "replay";

/** Ours in words; those of packages go by their names. */
const TITLES: Readonly<Record<string, string>> = {
  local: "This machine",
  docker: "Containers",
  ray: "A Ray cluster",
  replay: "Recorded launches",
};

/** Where the engine runs: what is there, and what is missing of what was chosen. */
export function PlaceField({ value, onChange, fault }: PlaceFieldProps) {
  const launchers = useQuery({ ...launchersQuery, refetchOnMount: "always" }).data;
  const chosen = value ?? USUAL;
  const state = launchers?.find(({ name }) => name === chosen);
  const missing = state === undefined ? "" : missingText(state);
  return (
    <div>
      <Select
        className={classes.grow}
        label="Where the engine runs"
        data={optionsOf(launchers ?? [], chosen)}
        value={chosen}
        onChange={(name) => name !== null && onChange(name)}
        allowDeselect={false}
        error={fault}
      />
      <Text size="xs" className={missing === "" ? "quiet" : undefined} role="status" mt={4}>
        {missing === "" ? (state?.about ?? "") : missing}
      </Text>
    </div>
  );
}

/** Options of the field; one that the document names stands there, known or not. */
export function optionsOf(launchers: readonly LauncherSummary[], chosen: string) {
  const options = launchers
    // A replay also needs a recorded table, which the YAML names.
    .filter(({ name }) => name !== REPLAY || chosen === REPLAY)
    .map((launcher) => ({
      value: launcher.name,
      label: `${TITLES[launcher.name] ?? launcher.name}${suffixOf(launcher)}`,
    }));
  const isKnown = options.some(({ value }) => value === chosen);
  return isKnown ? options : [{ value: chosen, label: TITLES[chosen] ?? chosen }, ...options];
}

function suffixOf({ available, allowed }: LauncherSummary): string {
  if (!allowed) return ", not allowed here";
  return available ? "" : ", not available here";
}

/** What is missing on the service's machine, with what to do; empty where nothing is. */
export function missingText({ available, allowed, problem, remedy }: LauncherSummary): string {
  if (!allowed) return "The operator's policy does not let tasks run there.";
  if (available) return "";
  return `On the service's machine: ${problem}. ${remedy}. A worker elsewhere may have it.`;
}
