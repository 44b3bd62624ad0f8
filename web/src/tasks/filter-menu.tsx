import { Button, Checkbox, Popover, Stack } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";

interface FilterMenuProps<T extends string> {
  title: string;
  options: readonly { value: T; label: string }[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}

/** A button that says what a list is narrowed to, and opens the choices. */
export function FilterMenu<T extends string>({
  title,
  options,
  chosen,
  onChange,
}: FilterMenuProps<T>) {
  const [first] = options.filter(({ value }) => chosen.includes(value));
  const more = chosen.length > 1 ? ` and ${chosen.length - 1} more` : "";
  return (
    <Popover position="bottom-start" trapFocus>
      <Popover.Target>
        <Button
          variant={chosen.length > 0 ? "light" : "default"}
          size="xs"
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          {chosen.length === 0 ? title : `${title}: ${first?.label ?? chosen[0]}${more}`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <Checkbox.Group
          value={[...chosen]}
          onChange={(values) => onChange(values as T[])}
          label={title}
        >
          <Stack gap={6} pt={6} mah={320} style={{ overflowY: "auto" }}>
            {options.map(({ value, label }) => (
              <Checkbox key={value} value={value} label={label} size="sm" />
            ))}
          </Stack>
        </Checkbox.Group>
        {chosen.length > 0 && (
          <Button mt="xs" size="compact-xs" variant="subtle" onClick={() => onChange([])}>
            Any {title.toLowerCase()}
          </Button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
