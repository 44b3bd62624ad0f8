import { Checkbox, NativeSelect, Select, SimpleGrid, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ExportFormat, Exports, ExportWishes } from "~/api/exports";
import { counted } from "~/ui/format";
import { NumberField } from "~/ui/number-field";
import type { NumberRule } from "~/ui/typed-number";
import type { ReportFault } from "~/ui/use-reported-fault";
import classes from "./export-dialog.module.css";

interface ExportFieldsProps {
  wishes: ExportWishes;
  onWish: (changed: Partial<ExportWishes>) => void;
  /** What the service answered last. */
  shown: Exports;
  form: ExportFormat | null;
  version: string | null;
  onVersion: (version: string | null) => void;
  /** Whether the last answer is to what the fields hold. */
  isSettled: boolean;
  /** Why the service refuses a parameter, by its name. */
  faultAt: (name: string) => string | null;
  /** Called with why a number is not taken. */
  onFault: ReportFault;
}

/** Points of predictions, which the service finds when they are asked for. */
const NEVER_MEASURED = [
  { value: "predicted", label: "predicted: the best of those that were never measured" },
  { value: "disagg", label: "disagg: a draft of a prefill and a decode engine, never measured" },
];
const MOST_REPLICAS = 1000;
const TRAFFIC = { above: 0, most: 1e9 };

/** What says how many engines there are: their number, or the traffic that they hold. */
const SIZES: Record<"replicas" | "rate" | "users", { label: string; rule: NumberRule }> = {
  replicas: { label: "Replicas", rule: { isWhole: true, least: 1, most: MOST_REPLICAS } },
  rate: { label: "Requests per second", rule: TRAFFIC },
  users: { label: "Users at once", rule: TRAFFIC },
};
type Size = keyof typeof SIZES;
const UNSIZED = { replicas: null, rate: null, users: null };

/** Point, version, image, program and number of the engines that are deployed. */
export function ExportFields(props: ExportFieldsProps) {
  const { wishes, onWish, shown, form, version, onVersion, faultAt } = props;
  return (
    <>
      <Select
        label="Point"
        data={[
          ...shown.points.map(({ point, label, recommended }) => ({
            value: point,
            label: `${point}${recommended ? ", recommended" : ""}: ${label}`,
          })),
          ...NEVER_MEASURED,
        ]}
        value={wishes.point ?? shown.point}
        onChange={(point) => onWish({ point })}
        error={faultAt("point")}
        allowDeselect={false}
        searchable
      />
      <SizeFields {...props} />
      <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
        <NativeSelect
          label="Version"
          data={[
            { value: "", label: form?.versions.length ? "Default" : "Only one form" },
            ...(form?.versions ?? []),
          ]}
          value={version ?? ""}
          onChange={(event) => onVersion(event.currentTarget.value || null)}
          error={faultAt("target_version")}
          disabled={!form?.versions.length}
        />
        <TextInput
          label="Image"
          value={wishes.image ?? ""}
          onChange={(event) => onWish({ image: event.currentTarget.value || null })}
          error={faultAt("image")}
          placeholder={shown.image ?? "REPOSITORY:TAG"}
        />
        <TextInput
          label="Program"
          value={wishes.program ?? ""}
          onChange={(event) => onWish({ program: event.currentTarget.value || null })}
          error={faultAt("program")}
          placeholder="the usual one"
        />
      </SimpleGrid>
      {shown.takes_key && (
        <Checkbox
          label="Requests carry a key"
          description="The files take it from a secret, and never hold it."
          checked={wishes.apiKey}
          onChange={(event) => onWish({ apiKey: event.currentTarget.checked })}
          error={faultAt("requires_key")}
        />
      )}
    </>
  );
}

/** The number of engines, or the traffic from which it follows. */
function SizeFields({ wishes, onWish, shown, isSettled, faultAt, onFault }: ExportFieldsProps) {
  const [size, setSize] = useState<Size>("replicas");
  const { label, rule } = SIZES[size];
  const isSized = size !== "replicas" && wishes[size] !== null;
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
      <NativeSelect
        label="Sized by"
        data={Object.entries(SIZES).map(([value, one]) => ({ value, label: one.label }))}
        value={size}
        onChange={(event) => {
          setSize(event.currentTarget.value as Size);
          onWish(UNSIZED);
        }}
      />
      <NumberField
        key={size}
        label={label}
        value={wishes[size]}
        onChange={(value) => onWish({ [size]: value })}
        rule={rule}
        placeholder={size === "replicas" ? "1" : undefined}
        error={faultAt(size)}
        onFault={onFault}
      />
      {isSized && isSettled && (
        <Text size="sm" role="status" className={classes.sized}>
          {counted(shown.replicas, "replica")} {shown.replicas === 1 ? "holds" : "hold"} it within
          the limits
        </Text>
      )}
    </SimpleGrid>
  );
}
