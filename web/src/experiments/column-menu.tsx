import { Button, Checkbox, Group, Popover, ScrollArea, Stack, Text } from "@mantine/core";
import { IconColumns3 } from "@tabler/icons-react";
import { type Column, type ColumnChoice, INDEX, shownColumns } from "./columns";

interface ColumnMenuProps {
  columns: readonly Column[];
  choice: ColumnChoice;
  onChoice: (choice: ColumnChoice) => void;
}

/** Which columns are shown; the browser keeps the choice. */
export function ColumnMenu({ columns, choice, onChoice }: ColumnMenuProps) {
  const shown = new Set(shownColumns(columns, choice).map(({ id }) => id));
  const choices = columns.filter(({ id }) => id !== INDEX);
  const all = (isShown: boolean) =>
    onChoice({ ...choice, ...Object.fromEntries(choices.map(({ id }) => [id, isShown])) });
  return (
    <Popover position="bottom-end" width={300} trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<IconColumns3 size={14} aria-hidden />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Group gap={6} mb="xs">
          <Button size="compact-xs" variant="default" onClick={() => all(true)}>
            All
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => all(false)}>
            None
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => onChoice({})}>
            As at first
          </Button>
        </Group>
        <ScrollArea.Autosize mah={360} type="auto">
          <Stack gap={6}>
            {choices.map(({ id, title, description }) => (
              <Checkbox
                key={id}
                size="xs"
                checked={shown.has(id)}
                onChange={(event) => onChoice({ ...choice, [id]: event.currentTarget.checked })}
                label={
                  <>
                    {title}
                    {description && description !== title && (
                      <Text span size="xs" className="quiet">
                        {" "}
                        {description}
                      </Text>
                    )}
                  </>
                }
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
