import type { MigrationNote } from "~/api/migrations";
import badge from "~/ui/status-badge.module.css";
import { OUTCOMES } from "./fields";

/** Outcome of a key, as word and colour. */
export function OutcomeBadge({ outcome }: { outcome: MigrationNote["outcome"] }) {
  const { label, tone } = OUTCOMES[outcome];
  return (
    <span className={badge.badge} data-tone={tone}>
      {label}
    </span>
  );
}
