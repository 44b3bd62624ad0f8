import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import {
  type DeviceSummary,
  devicesQuery,
  enginesQuery,
  type GpuSummary,
  gpusQuery,
} from "~/api/catalog";
import { gibibytes } from "~/ui/format";
import { NumberField } from "~/ui/number-field";
import type { Decisions, OnFault } from "./decisions";
import classes from "./quick.module.css";

interface SystemFieldProps {
  decisions: Decisions;
  onDecide: (decisions: Partial<Decisions>) => void;
  /** Called with why what a number field holds is not taken; null once it is. */
  onFault: OnFault;
  /** What the document says now, for what is left open. */
  gpu: string | null;
  gpus: number | null;
  backend: string | null;
  faults: { gpu: string | null; gpus: string | null; backend: string | null };
}

const CPU = "cpu";
const GPUS = { least: 1, most: 100_000, isWhole: true };

export function SystemField(props: SystemFieldProps) {
  const { decisions, onDecide, onFault, gpu, gpus, backend, faults } = props;
  const catalog = useQuery(gpusQuery).data;
  const devices = useQuery(devicesQuery).data;
  const engines = useQuery(enginesQuery).data;
  const groups = useMemo(() => deviceGroups(devices ?? [], catalog ?? []), [devices, catalog]);
  const chosen = decisions.gpu ?? gpu;
  // While one types, another suggestion does not take the text away.
  const [held, setHeld] = useState<string | null>();
  const known = groups.flatMap((group) => group.items.map((item) => item.value));
  return (
    <div className={classes.row}>
      <Select
        className={classes.grow}
        label="Device"
        data={chosen && !known.includes(chosen) ? [chosen, ...groups] : groups}
        value={held === undefined ? chosen : held}
        onInput={() => setHeld((before) => (before === undefined ? chosen : before))}
        onBlur={() => setHeld(undefined)}
        onChange={(value) => {
          setHeld(undefined);
          onDecide({ gpu: value, gpus: null });
        }}
        error={faults.gpu}
        placeholder="What the service finds"
        searchable
        // What is typed is another device, and no end of this one's name.
        onFocus={(event) => event.currentTarget.select()}
        allowDeselect={false}
        nothingFoundMessage="Nothing of that name in the catalog"
      />
      {chosen !== null && chosen !== CPU && (
        <NumberField
          className={classes.short}
          label="GPUs at most"
          rule={GPUS}
          value={decisions.gpus ?? gpus}
          onChange={(value) => onDecide({ gpus: value })}
          onFault={(fault) => onFault("gpus", fault)}
          error={faults.gpus}
        />
      )}
      <Select
        className={classes.grow}
        label="Engine"
        data={(engines ?? []).map((engine) => ({
          value: engine.name,
          label: `${engine.title}${engine.found ? `, installed ${engine.version ?? ""}` : ", not installed here"}`,
        }))}
        value={decisions.backend ?? backend}
        onChange={(value) => onDecide({ backend: value })}
        error={faults.backend}
        placeholder="One that serves the model"
        allowDeselect={false}
      />
    </div>
  );
}

/** Devices that are there first, then what the catalog knows; each name once. */
export function deviceGroups(devices: readonly DeviceSummary[], catalog: readonly GpuSummary[]) {
  const here = new Map<string, string>();
  for (const device of devices) {
    const isCpu = device.kind === CPU;
    const name = isCpu ? CPU : device.name;
    const memory = device.memory_gib === null ? "" : `, ${gibibytes(device.memory_gib)}`;
    const label = isCpu
      ? `CPU, ${device.count} cores${memory}`
      : `${device.count} × ${device.name}${memory} each`;
    if (!here.has(name)) here.set(name, label);
  }
  const others = catalog
    .filter((gpu) => !here.has(gpu.name))
    .map((gpu) => ({
      value: gpu.name,
      label: gpu.memory_gib === null ? gpu.name : `${gpu.name}, ${gibibytes(gpu.memory_gib)}`,
    }));
  return [
    { group: "Found here", items: [...here].map(([value, label]) => ({ value, label })) },
    { group: "Catalog", items: others },
  ];
}
