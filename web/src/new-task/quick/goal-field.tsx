import { Chip, NumberInput, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Goal, goalsQuery } from "~/api/catalog";
import { type Decisions, FIRST_LIMITS, type SloLimits } from "./decisions";
import classes from "./quick.module.css";

interface GoalFieldProps {
  decisions: Decisions;
  onDecide: (decisions: Partial<Decisions>) => void;
  faults: Readonly<Partial<Record<keyof SloLimits, string>>>;
}

const LIMITS: readonly { key: keyof SloLimits; label: string }[] = [
  { key: "ttft_ms", label: "TTFT, mean" },
  { key: "tpot_ms", label: "TPOT, mean" },
  { key: "e2e_p90_ms", label: "E2E, p90" },
];

export function GoalField({ decisions, onDecide, faults }: GoalFieldProps) {
  const goals = useQuery(goalsQuery).data ?? [];
  const chosen = goals.find((goal) => goal.name === decisions.goal) ?? goals[0];
  const choose = (name: string | string[]) => {
    const goal = goals.find((each) => each.name === name);
    if (goal) onDecide({ goal: goal.name, slo: limitsFor(goal, decisions.slo) });
  };
  const setLimit = (key: keyof SloLimits) => (value: string | number) => {
    const { [key]: _, ...others } = decisions.slo;
    const limit = Number(value);
    onDecide({ slo: limit > 0 ? { ...others, [key]: limit } : others });
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
            <NumberInput
              key={key}
              className={classes.short}
              label={label}
              suffix=" ms"
              thousandSeparator=","
              min={0}
              allowNegative={false}
              placeholder="no limit"
              value={decisions.slo[key] ?? ""}
              onChange={setLimit(key)}
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
