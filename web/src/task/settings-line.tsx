import { Group } from "@mantine/core";
import type { SettingValue } from "~/api/experiments";
import { fieldName, setting } from "~/ui/format";
import classes from "./settings-line.module.css";

interface SettingsLineProps {
  settings: Readonly<Record<string, SettingValue>>;
  /** The fields that are searched: what tells this candidate from the others. */
  axes: readonly string[];
  load?: string;
}

/** The settings that tell a candidate from the others, as small labels. */
export function SettingsLine({ settings, axes, load }: SettingsLineProps) {
  return (
    <Group gap={6}>
      {load && <span className={classes.item}>{load}</span>}
      {axes.map((path) => (
        <span key={path} className={classes.item} title={path}>
          <span className="quiet">{fieldName(path)}</span> {setting(settings[path])}
        </span>
      ))}
    </Group>
  );
}
