import { ActionIcon, Chip, Group, NativeSelect, SegmentedControl, Tooltip } from "@mantine/core";
import { IconArrowsMaximize, IconMinus, IconPlus } from "@tabler/icons-react";
import { memo } from "react";
import type { Quantity } from "~/ui/quantities";
import { type ChartForm, ExportMenu } from "./export-menu";
import type { View } from "./search-params";
import classes from "./toolbar.module.css";
import type { ChangeView } from "./use-view";

interface ToolbarProps {
  view: View;
  choices: readonly Quantity[];
  x: string;
  y: string;
  hasBaseline: boolean;
  onChange: ChangeView;
  onZoomBy: (share: number) => void;
  onExport: (form: ChartForm) => void;
}

const CLOSER = 0.7;
type SwitchName =
  | "frontierOnly"
  | "dimDominated"
  | "greyOutside"
  | "joinPairs"
  | "colorByOrder"
  | "showFailures"
  | "againstBaseline";

const SWITCHES: readonly [SwitchName, string, string][] = [
  [
    "frontierOnly",
    "Only the frontier",
    "Leave out every point that another one beats on both axes",
  ],
  ["dimDominated", "Dim dominated", "Paler marks for points that another one beats on both axes"],
  ["greyOutside", "Grey outside the SLO", "Grey marks for points that miss a limit"],
  [
    "joinPairs",
    "Pairs and intervals",
    "Join each prediction with its measurement and draw intervals",
  ],
  ["colorByOrder", "Search order", "Colour measured points by the order of their launches"],
  ["showFailures", "Failures", "Launches that brought no point, beneath the chart"],
];

const AGAINST_BASELINE: (typeof SWITCHES)[number] = [
  "againstBaseline",
  "Against the baseline",
  "Figures as changes in percent from the baseline at the same load",
];

const KINDS = [
  { value: "both", label: "Both" },
  { value: "measured", label: "Measured" },
  { value: "predicted", label: "Predicted" },
];
const FORMS = [
  { value: "chart", label: "Chart" },
  { value: "table", label: "Table" },
];

/** Axes, what is shown, and files of it. */
export const Toolbar = memo(function Toolbar(props: ToolbarProps) {
  const { view, choices, x, y, hasBaseline, onChange, onZoomBy, onExport } = props;
  const isCompared = hasBaseline && view.as === "table";
  return (
    <div className={classes.toolbar}>
      <Group gap="sm" align="flex-end">
        <AxisPicker
          side="y"
          label="Vertical axis"
          value={y}
          isLog={view.logY}
          choices={choices}
          onChange={onChange}
        />
        <AxisPicker
          side="x"
          label="Horizontal axis"
          value={x}
          isLog={view.logX}
          choices={choices}
          onChange={onChange}
        />
        <Choice label="Points" name="kind" value={view.kind} data={KINDS} onChange={onChange} />
        <span className={classes.space} />
        <Choice label="Form" name="as" value={view.as} data={FORMS} onChange={onChange} />
        {view.as === "chart" && (
          <ZoomButtons isZoomed={view.zoom !== null} onZoomBy={onZoomBy} onChange={onChange} />
        )}
        <ExportMenu onExport={onExport} />
      </Group>
      <Group gap={6}>
        {[...SWITCHES, ...(isCompared ? [AGAINST_BASELINE] : [])].map(([key, label, hint]) => (
          <Switch
            key={key}
            name={key}
            label={label}
            hint={hint}
            isOn={view[key]}
            onChange={onChange}
          />
        ))}
      </Group>
    </div>
  );
});

// Each part is drawn anew only when it changes itself: a toggle leaves the others alone.

interface ChoiceProps {
  label: string;
  name: "kind" | "as";
  value: string;
  data: { value: string; label: string }[];
  onChange: ChangeView;
}

const Choice = memo(function Choice({ label, name, value, data, onChange }: ChoiceProps) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      value={value}
      onChange={(chosen) => onChange({ [name]: chosen })}
      data={data}
    />
  );
});

interface ZoomButtonsProps {
  isZoomed: boolean;
  onZoomBy: (share: number) => void;
  onChange: ChangeView;
}

const ZoomButtons = memo(function ZoomButtons(props: ZoomButtonsProps) {
  const { isZoomed, onZoomBy, onChange } = props;
  return (
    <ActionIcon.Group>
      <ZoomButton label="Zoom in" onClick={() => onZoomBy(CLOSER)} Icon={IconPlus} />
      <ZoomButton label="Zoom out" onClick={() => onZoomBy(1 / CLOSER)} Icon={IconMinus} />
      <ZoomButton
        label="Show all points"
        onClick={() => onChange({ zoom: null })}
        Icon={IconArrowsMaximize}
        isOff={!isZoomed}
      />
    </ActionIcon.Group>
  );
});

interface SwitchProps {
  name: SwitchName;
  label: string;
  hint: string;
  isOn: boolean;
  onChange: ChangeView;
}

const Switch = memo(function Switch({ name, label, hint, isOn, onChange }: SwitchProps) {
  return (
    <Tooltip label={hint} multiline maw={260}>
      <Chip
        size="xs"
        variant="light"
        checked={isOn}
        onChange={(checked) => onChange({ [name]: checked })}
      >
        {label}
      </Chip>
    </Tooltip>
  );
});

interface AxisPickerProps {
  side: "x" | "y";
  label: string;
  value: string;
  isLog: boolean;
  choices: readonly Quantity[];
  onChange: ChangeView;
}

const AxisPicker = memo(function AxisPicker(props: AxisPickerProps) {
  const { side, label, value, isLog, choices, onChange } = props;
  return (
    <Group gap={6} align="flex-end" wrap="nowrap">
      <NativeSelect
        size="xs"
        label={label}
        value={value}
        // A zoom is one of two figures: it means nothing on others.
        onChange={(event) => onChange({ [side]: event.currentTarget.value, zoom: null, at: null })}
        data={choices.map(({ key, title }) => ({ value: key, label: title }))}
      />
      <Tooltip label="Logarithmic axis">
        <Chip
          size="xs"
          variant="light"
          checked={isLog}
          onChange={(checked) => onChange(side === "x" ? { logX: checked } : { logY: checked })}
          wrapperProps={{ "aria-label": `${label}, logarithmic` }}
        >
          log
        </Chip>
      </Tooltip>
    </Group>
  );
});

interface ZoomButtonProps {
  label: string;
  onClick: () => void;
  Icon: typeof IconPlus;
  isOff?: boolean;
}

function ZoomButton({ label, onClick, Icon, isOff = false }: ZoomButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={30} onClick={onClick} aria-label={label} disabled={isOff}>
        <Icon size={15} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
