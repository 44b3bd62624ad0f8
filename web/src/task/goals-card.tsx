import { Text, Title } from "@mantine/core";
import type { Task } from "~/api/tasks";
import { count, counted, duration, fieldName, usd } from "~/ui/format";
import { quantity } from "~/ui/quantities";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./overview.module.css";
import { limitsOf } from "./slo";
import { useTask } from "./task-context";

/** What the task searches for, where, and within what. */
export function GoalsCard() {
  const task = useTask();
  return (
    <section className="card card-body" aria-labelledby="goals">
      <Title order={2} fz="md" id="goals" mb="xs">
        This task
      </Title>
      {task.description && (
        <ScrollingBox label="Description" className={classes.description}>
          <Text size="sm" className="text-of-users" dir="auto">
            {task.description}
          </Text>
        </ScrollingBox>
      )}
      <dl className={classes.facts}>
        {factsOf(task).map(([name, value]) => (
          <div key={name} style={{ display: "contents" }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Rows of the card; what is not known or not asked for has none. */
export function factsOf(task: Task): [name: string, value: string][] {
  const { optimization, runtime } = task.config;
  const objectives = optimization?.objectives ?? ["tok_s_per_gpu", "tok_s_per_user"];
  const limits = Object.entries(limitsOf(task.config)).map(([name, limit]) => {
    const { short, format } = quantity(name);
    return `${short} at most ${format(limit)}`;
  });
  const budget = optimization?.budget;
  const budgets = [
    budget?.experiments ? counted(budget.experiments, "launch", "launches") : "",
    budget?.minutes ? duration(60 * budget.minutes) : "",
    budget?.usd ? usd(budget.usd) : "",
  ];
  const lengths = [
    typeof runtime?.isl === "number" ? `${count(runtime.isl)} tokens in` : "",
    typeof runtime?.osl === "number" ? `${count(runtime.osl)} out` : "",
  ];
  const excluded = Object.values(task.plan?.excluded ?? {}).reduce((sum, one) => sum + one, 0);
  const candidates = task.plan
    ? `${count(task.plan.candidates)}${excluded > 0 ? ` (${count(excluded)} more excluded)` : ""}`
    : "";
  const rows: [string, string][] = [
    ["Goal", goalText(objectives)],
    ["SLO", limits.join(", ")],
    ["Requests", lengths.filter(Boolean).join(", ")],
    [
      "Searched",
      Object.keys(task.plan?.axes ?? {})
        .map(fieldName)
        .join(", "),
    ],
    ["Candidates", candidates],
    ["Strategy", task.plan?.strategy ?? optimization?.strategy ?? ""],
    ["Budget", budgets.filter(Boolean).join(", ")],
    ["Worker", task.worker?.slice(0, 8) ?? ""],
  ];
  return rows.filter(([, value]) => value !== "");
}

/** "Throughput per GPU and speed per user". */
function goalText(objectives: readonly string[]): string {
  const [first = "", ...others] = objectives.map((name) => quantity(name).title);
  return [first, ...others.map((title) => title.charAt(0).toLowerCase() + title.slice(1))].join(
    " and ",
  );
}
