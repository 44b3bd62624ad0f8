import { Chip, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Goal, goalsQuery } from "~/api/catalog";
import { NumberField } from "~/ui/number-field";
import { type Decisions, FIRST_LIMITS, type OnFault, type SloLimits } from "./decisions";
import classes from "./quick.module.css";

interface GoalFieldProps {
  decisions: Decisions;
  onDecide: (decisions: Partial<Decisions>) => void;
  onFault: OnFault;
  faults: Readonly<Partial<Record<keyof SloLimits, string>>>;
}

const LIMITS: readonly { key: keyof SloLimits; label: string }[] = [
  { key: "ttft_ms", label: "TTFT, mean" },
  { key: "tpot_ms", label: "TPOT, mean" },
  { key: "e2e_p90_ms", label: "E2E, p90" },
];

const ABOVE_ZERO = { above: 0 };

export function GoalField({ decisions, onDecide, onFault, faults }: GoalFieldProps) {
  const goals = useQuery(goalsQuery).data ?? [];
  const chosen = goals.find((goal) => goal.name === decisions.goal) ?? goals[0];
  const choose = (name: string | string[]) => {
    const goal = goals.find((each) => each.name === name);
    if (goal) onDecide({ goal: goal.name, slo: limitsFor(goal, decisions.slo) });
  };
  const setLimit = (key: keyof SloLimits) => (limit: number | null) => {
    const { [key]: _, ...others } = decisions.slo;
    onDecide({ slo: limit === null ? others : { ...others, [key]: limit } });
  };
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
        <div className={classes.row}>
          {LIMITS.map(({ key, label }) => (
            <NumberField
              key={key}
              className={classes.short}
              label={label}
              unit="ms"
              rule={ABOVE_ZERO}
              placeholder="no limit"
              value={decisions.slo[key] ?? null}
              onChange={setLimit(key)}
              onFault={(fault) => onFault(key, fault)}
              error={faults[key]}
            />
          ))}
        </div>
      )}
    </>
  );
}

/** A goal that needs limits begins with usual ones; the others have none of Quick's. */
function limitsFor(goal: Goal, given: SloLimits): SloLimits {
  if (!goal.needs_slo) return {};
  return Object.keys(given).length > 0 ? given : FIRST_LIMITS;
}
