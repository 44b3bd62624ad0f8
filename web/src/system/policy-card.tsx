import { useQuery } from "@tanstack/react-query";
import { limitsQuery } from "~/api/catalog";
import { SystemCard } from "./card";
import { policyFacts } from "./policy";
import classes from "./system.module.css";

/** What the operator allows, and the limits of requests. */
export function PolicyCard() {
  const query = useQuery(limitsQuery);
  return (
    <SystemCard id="system-policy" title="Policy and limits" query={query}>
      {(limits) => (
        <dl className={classes.facts}>
          {policyFacts(limits).map(({ title, text }) => (
            <div key={title} className={classes.fact}>
              <dt>{title}</dt>
              <dd className="text-of-users">{text}</dd>
            </div>
          ))}
        </dl>
      )}
    </SystemCard>
  );
}
