import { Chip, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { workloadsQuery } from "~/api/catalog";
import { NumberField } from "~/ui/number-field";
import type { Decisions, OnFault } from "./decisions";
import classes from "./quick.module.css";

interface WorkloadFieldProps {
  decisions: Decisions;
  onDecide: (decisions: Partial<Decisions>) => void;
  onFault: OnFault;
  /** Tokens of a request as the document has them. */
  isl: number | null;
  osl: number | null;
  fault: string | null;
}

const SUGGESTED = "suggested";
const OWN = "own";
const TOKENS = { least: 1, isWhole: true, isNeeded: true };

export function WorkloadField({
  decisions,
  onDecide,
  onFault,
  isl,
  osl,
  fault,
}: WorkloadFieldProps) {
  const workloads = useQuery(workloadsQuery).data ?? [];
  const { workload } = decisions;
  const preset = workloads.find((each) => each.name === workload);
  const own = typeof workload === "object" && workload !== null ? workload : null;
  const lengths = own ?? preset ?? { isl, osl };
  const chosen = typeof workload === "string" ? workload : own ? OWN : SUGGESTED;

  const choose = (name: string | string[]) => {
    if (name === SUGGESTED) onDecide({ workload: null });
    else if (name === OWN)
      onDecide({ workload: { isl: lengths.isl ?? 1024, osl: lengths.osl ?? 256 } });
    else onDecide({ workload: String(name) });
  };
  const setLength = (key: "isl" | "osl") => (count: number | null) => {
    if (count === null) return;
    onDecide({
      workload: { isl: lengths.isl ?? 1024, osl: lengths.osl ?? 256, [key]: count },
    });
  };
  return (
    <>
      <Chip.Group value={chosen} onChange={choose}>
        <div className={classes.chips} role="radiogroup" aria-label="Workload">
          <Chip size="xs" value={SUGGESTED}>
            Suggested
          </Chip>
          {workloads.map((each) => (
            <Chip size="xs" key={each.name} value={each.name}>
              {each.title}
            </Chip>
          ))}
          <Chip size="xs" value={OWN}>
            Own lengths
          </Chip>
        </div>
      </Chip.Group>
      <div className={classes.row}>
        <NumberField
          className={classes.short}
          label="Tokens in (isl)"
          rule={TOKENS}
          value={lengths.isl}
          onChange={setLength("isl")}
          onFault={(why) => onFault("isl", why)}
        />
        <NumberField
          className={classes.short}
          label="Tokens out (osl)"
          rule={TOKENS}
          value={lengths.osl}
          onChange={setLength("osl")}
          onFault={(why) => onFault("osl", why)}
        />
        <Text size="xs" className={`quiet ${classes.grow}`} pb={8}>
          {preset?.description ??
            (chosen === SUGGESTED ? "A size that these devices answer in a short time." : "")}
        </Text>
      </div>
      {fault && (
        <Text size="xs" c="red" role="alert">
          {fault}
        </Text>
      )}
    </>
  );
}
