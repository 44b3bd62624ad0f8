import { IconAlertTriangle, IconCheck, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type HealthCheck, healthQuery } from "~/api/system";
import { asSentence } from "~/ui/sentence";
import { WithCode } from "~/ui/with-code";
import { SystemCard } from "./card";
import classes from "./system.module.css";

const SIGNS: Record<HealthCheck["status"], { Icon: typeof IconCheck; word: string }> = {
  ok: { Icon: IconCheck, word: "OK" },
  warning: { Icon: IconAlertTriangle, word: "needs attention" },
  error: { Icon: IconX, word: "error" },
};

/** Whether the parts of the service are as they should be. */
export function HealthCard() {
  const query = useQuery(healthQuery);
  return (
    <SystemCard id="system-health" title="Health" query={query}>
      {(checks) => (
        <ul className={classes.checks}>
          {checks.map(({ name, status, detail, remedy }) => {
            const { Icon, word } = SIGNS[status];
            return (
              <li key={name} data-status={status}>
                <Icon size={16} aria-label={word} role="img" />
                <div>
                  <strong>{asSentence(name).slice(0, -1)}</strong>
                  <div className="quiet text-of-users">
                    {asSentence(detail)} {remedy && <WithCode text={asSentence(remedy)} />}
                  </div>
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </SystemCard>
  );
}
