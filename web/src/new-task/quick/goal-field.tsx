import { Chip, NativeSelect, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { type Goal, goalsQuery } from "~/api/catalog";
import { NumberField } from "~/ui/number-field";
import {
  type Decisions,
  FIRST_LIMITS,
  type OnFault,
  SLO_NAMES,
  type SloLimits,
  type SloName,
} from "./decisions";
import classes from "./quick.module.css";

interface GoalFieldProps {
  decisions: Decisions;
  onDecide: (decisions: Partial<Decisions>) => void;
  onFault: OnFault;
  faultAt: (name: SloName) => string | null;
}

/** Limits that are always offered; those of further percentiles are added. */
const USUAL: ReadonlySet<SloName> = new Set(["ttft_ms", "tpot_ms", "e2e_p90_ms"]);
const ABOVE_ZERO = { above: 0 };

export function GoalField({ decisions, onDecide, onFault, faultAt }: GoalFieldProps) {
  const [added, setAdded] = useState<ReadonlySet<SloName>>(new Set());
  // What was added is typed into next; the choice goes with the last of them.
  const [newest, setNewest] = useState<SloName | null>(null);
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => {
    fields.current?.querySelector<HTMLInputElement>(`input[name="${newest}"]`)?.focus();
  }, [newest]);
  const goals = useQuery(goalsQuery).data ?? [];
  const chosen = goals.find((goal) => goal.name === decisions.goal) ?? goals[0];
  const choose = (name: string | string[]) => {
    const goal = goals.find((each) => each.name === name);
    if (goal) onDecide({ goal: goal.name, slo: limitsFor(goal, decisions.slo) });
  };
  const setLimit = (key: SloName) => (limit: number | null) => {
    const { [key]: _, ...others } = decisions.slo;
    // A field that is cleared to be typed anew stays.
    if (!USUAL.has(key)) setAdded((before) => new Set([...before, key]));
    onDecide({ slo: limit === null ? others : { ...others, [key]: limit } });
  };
  const isShown = (name: SloName) => USUAL.has(name) || added.has(name) || name in decisions.slo;
  const left = SLO_NAMES.filter((name) => !isShown(name));
  return (
    <>
      <Chip.Group value={chosen?.name ?? ""} onChange={choose}>
        <div className={classes.chips} role="radiogroup" aria-label="Goal">
          {goals.map((goal) => (
            <Chip size="xs" key={goal.name} value={goal.name}>
              {goal.title}
            </Chip>
          ))}
        </div>
      </Chip.Group>
      <Text size="xs" className="quiet">
        {chosen?.description}
      </Text>
      {chosen?.needs_slo && (
        <div ref={fields} className={classes.row}>
          {SLO_NAMES.filter(isShown).map((name) => (
            <NumberField
              key={name}
              name={name}
              className={classes.short}
              label={labelOf(name)}
              unit="ms"
              rule={ABOVE_ZERO}
              placeholder="no limit"
              value={decisions.slo[name] ?? null}
              onChange={setLimit(name)}
              onFault={(fault) => onFault(name, fault)}
              error={faultAt(name)}
            />
          ))}
          {left.length > 0 && (
            <NativeSelect
              aria-label="Limit a percentile too"
              value=""
              onChange={(event) => {
                const name = left.find((one) => one === event.currentTarget.value);
                if (name === undefined) return;
                setAdded((before) => new Set([...before, name]));
                setNewest(name);
              }}
              data={[
                { value: "", label: "Add a percentile" },
                ...left.map((name) => ({ value: name, label: labelOf(name) })),
              ]}
            />
          )}
        </div>
      )}
    </>
  );
}

/** `ttft_p99_ms` -> "TTFT, p99"; without a percentile it is the mean. */
function labelOf(name: SloName): string {
  const [latency = "", statistic] = name.replace(/_ms$/, "").split("_");
  return `${latency.toUpperCase()}, ${statistic ?? "mean"}`;
}

/** A goal that needs limits begins with usual ones; the others have none of Quick's. */
function limitsFor(goal: Goal, given: SloLimits): SloLimits {
  if (!goal.needs_slo) return {};
  return Object.keys(given).length > 0 ? given : FIRST_LIMITS;
}
