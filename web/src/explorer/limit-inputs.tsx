import { Button, Group } from "@mantine/core";
import { IconArrowBackUp } from "@tabler/icons-react";
import { memo, useCallback, useRef } from "react";
import { NumberField } from "~/ui/number-field";
import { type Quantity, quantity } from "~/ui/quantities";
import { axisLimit } from "./axes";
import { LIMITED, type Limits } from "./slo";

interface LimitInputsProps {
  /** Whether any point has a figure. */
  has: (name: string) => boolean;
  x: Quantity;
  y: Quantity;
  limits: Limits;
  /** Name of the limits that are given back; null while they are in force. */
  usual: string | null;
  onLimits: (limits: Limits | null) => void;
}

/** Limits as numbers: those that are usual, those in force, and those that lie on an axis. */
export function LimitInputs({ has, x, y, limits, usual, onLimits }: LimitInputsProps) {
  const onAxes = [x, y].flatMap((axis) => axisLimit(axis)?.name ?? []);
  const names = [...new Set([...LIMITED, ...Object.keys(limits), ...onAxes])].filter(
    (name) => has(name) || name in limits,
  );
  const latest = useRef(limits);
  latest.current = limits;
  const change = useCallback(
    (name: string, limit: number | null) => {
      const { [name]: _, ...others } = latest.current;
      onLimits(limit === null ? others : { ...others, [name]: limit });
    },
    [onLimits],
  );
  return (
    <Group gap="sm" align="flex-start">
      {names.map((name) => (
        <LimitInput key={name} name={name} limit={limits[name] ?? null} onChange={change} />
      ))}
      {usual !== null && (
        <Button
          size="xs"
          mt={22}
          variant="subtle"
          leftSection={<IconArrowBackUp size={14} aria-hidden />}
          onClick={() => onLimits(null)}
        >
          {usual}
        </Button>
      )}
    </Group>
  );
}

interface LimitInputProps {
  name: string;
  /** In ms. */
  limit: number | null;
  onChange: (name: string, limit: number | null) => void;
}

const ABOVE_ZERO = { above: 0 };

/** While one limit is dragged, the fields of the others stay as they are. */
const LimitInput = memo(function LimitInput({ name, limit, onChange }: LimitInputProps) {
  return (
    <NumberField
      label={`${quantity(name).short} at most`}
      size="xs"
      w={128}
      rule={ABOVE_ZERO}
      step={limit ? Math.max(0.1, Number((limit / 20).toPrecision(1))) : 10}
      unit="ms"
      placeholder="no limit"
      value={limit}
      onChange={(value) => onChange(name, value)}
    />
  );
});
