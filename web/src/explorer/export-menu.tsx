import { Button, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { memo } from "react";

/** What a chart is saved as. */
export type ChartForm = "png" | "svg" | "csv";

/** A chart and its points, as files. */
export const ExportMenu = memo(function ExportMenu(props: { onExport: (form: ChartForm) => void }) {
  const { onExport } = props;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onExport("png")}>Picture (PNG)</Menu.Item>
        <Menu.Item onClick={() => onExport("svg")}>Drawing (SVG)</Menu.Item>
        <Menu.Item onClick={() => onExport("csv")}>Points shown (CSV)</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
});
