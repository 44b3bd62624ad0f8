import { ActionIcon, Button, Group, Select, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { AXIS_GROUPS, type FieldSpec } from "../document/task-schema";
import { textOf, typedValue } from "../document/typed-values";
import { isObject, type Json, type JsonObject, type Path, same, valueAt } from "../document/values";
import classes from "./advanced.module.css";
import { COMBINATIONS, rowsOf, withColumn } from "./combinations-edit";
import { useForm } from "./form-context";

/** Alternatives as a table: each row is joined with the rest of the task as it stands. */
export function Combinations() {
  const { tools, content, groups, faults } = useForm();
  const [added, setAdded] = useState<readonly string[]>([]);
  const rows = rowsOf(content);
  const own = faults.filter((fault) => fault.path.startsWith(COMBINATIONS));
  const fields = groups
    .filter((group) => AXIS_GROUPS.has(group.name))
    .flatMap((group) => group.fields);
  const aliased = (group: string, key: string) =>
    groups.find((each) => each.name === group)?.aliases[key] ?? key;
  const used = new Set(
    rows.flatMap((row) => settingsOf(row).map(([group, key]) => `${group}.${aliased(group, key)}`)),
  );
  const columns = fields.filter((field) => used.has(field.name) || added.includes(field.name));
  const others = fields.filter((field) => !columns.includes(field));

  const cellPath = (row: number, field: FieldSpec): Path => {
    const [group = "", name = ""] = field.path.map(String);
    const own = rows[row]?.[group];
    const key = isObject(own)
      ? Object.keys(own).find((each) => aliased(group, each) === name)
      : undefined;
    return [COMBINATIONS, row, group, key ?? name];
  };
  const addRow = () => {
    if (rows.length === 0) tools.setValue([COMBINATIONS], [{}]);
    else tools.setValue([COMBINATIONS, rows.length], rows.at(-1) ?? {});
  };
  const addColumn = (name: string | null) => {
    const field = fields.find((each) => each.name === name);
    if (field === undefined) return;
    setAdded([...added, field.name]);
    const group = groups.find((each) => each.name === field.group);
    const text = withColumn(tools.draft.task.text, content, field, group);
    tools.act({ kind: "edit", text });
  };
  return (
    <>
      <Text size="xs" className="quiet" px="md" pt="sm">
        Settings that belong together: each row is tried with the rest of the task, and rows are not
        crossed with each other. A cell takes a value, or several with commas between to try each.
      </Text>
      <div className={classes.scroll}>
        {rows.length > 0 && (
          <table className={classes.combinations}>
            <thead>
              <tr>
                {columns.map((field) => (
                  <th key={field.name} scope="col" title={field.name}>
                    {field.title}
                  </th>
                ))}
                <th scope="col">
                  <span className="quiet">Row</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name of their own.
                <tr key={index}>
                  {columns.map((field) => (
                    <td key={field.name}>
                      <Cell
                        spec={field}
                        label={`${field.title}, row ${index + 1}`}
                        value={valueAt(content, cellPath(index, field))}
                        onChange={(value) => tools.setValue(cellPath(index, field), value)}
                        onClear={() => tools.removeValue(cellPath(index, field))}
                      />
                    </td>
                  ))}
                  <td>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={`Remove row ${index + 1}`}
                      onClick={() =>
                        tools.removeValue(
                          rows.length === 1 ? [COMBINATIONS] : [COMBINATIONS, index],
                        )
                      }
                    >
                      <IconTrash size={15} aria-hidden />
                    </ActionIcon>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {own.map((fault) => (
          <Text key={`${fault.path}:${fault.message}`} size="xs" c="red" mt={6} role="alert">
            <strong>{fault.path}</strong>: {fault.message}
          </Text>
        ))}
        <Group gap="xs" mt="sm">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={addRow}
          >
            Add a row
          </Button>
          <Select
            size="xs"
            key={columns.length}
            aria-label="Add a field as column"
            placeholder="Add a field as column"
            searchable
            value={null}
            data={others.map((field) => ({
              value: field.name,
              label: `${field.group}: ${field.title}`,
            }))}
            onChange={addColumn}
          />
        </Group>
      </div>
    </>
  );
}

interface CellProps {
  spec: FieldSpec;
  label: string;
  value: Json | undefined;
  onChange: (value: Json) => void;
  onClear: () => void;
}

function Cell({ spec, label, value, onChange, onClear }: CellProps) {
  const shown = textOfCell(spec, value);
  const [text, setText] = useState(shown);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => setText(shown), [shown]);
  const leave = () => {
    if (text.trim() === "") {
      setFault(null);
      if (value !== undefined) onClear();
      return;
    }
    const parts = spec.kind === "list" ? [text] : text.split(",");
    const typed = parts.map((part) => typedValue(spec, spec.kind, part));
    const wrong = typed.find((each) => "fault" in each);
    setFault(wrong && "fault" in wrong ? wrong.fault : null);
    if (wrong) return;
    const values = typed.flatMap((each) => ("value" in each ? [each.value] : []));
    const next = values.length === 1 ? (values[0] ?? null) : values;
    if (!same(next, value)) onChange(next);
  };
  return (
    <TextInput
      size="xs"
      aria-label={label}
      value={text}
      error={fault}
      placeholder="–"
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") leave();
      }}
    />
  );
}

function textOfCell(spec: FieldSpec, value: Json | undefined): string {
  if (value === undefined) return "";
  if (Array.isArray(value) && spec.kind !== "list") {
    return value.map((item) => textOf(spec.kind, item)).join(", ");
  }
  return textOf(spec.kind, value);
}

function settingsOf(row: JsonObject): [string, string][] {
  return Object.entries(row).flatMap(([group, fields]) =>
    isObject(fields) ? Object.keys(fields).map((key): [string, string] => [group, key]) : [],
  );
}
