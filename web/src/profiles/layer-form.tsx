import { ActionIcon, Autocomplete, Button, Group, Text, TextInput, Tooltip } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { taskSchemaQuery } from "~/api/catalog";
import { type ProfileWords, profileWordsQuery } from "~/api/profiles";
import { type FieldSpec, groupsOf } from "~/new-task/document/task-schema";
import type { JsonObject } from "~/new-task/document/values";
import { WithCode } from "~/ui/with-code";
import {
  type ConditionDraft,
  type LayerDraft,
  newCondition,
  newSetting,
  type SettingDraft,
} from "./draft";
import classes from "./profiles.module.css";
import { fieldsOfProfiles, suggestedValues, suggestedWants } from "./suggestions";

interface LayerFormProps {
  layer: LayerDraft;
  index: number;
  count: number;
  faults: ReadonlyMap<string, string>;
  onChange: (layer: LayerDraft) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
}

/** One layer: conditions, and the values that hold where all of them do. */
export function LayerForm(props: LayerFormProps) {
  const { layer, index, count, faults, onChange, onMove, onRemove } = props;
  const words = useQuery(profileWordsQuery).data;
  const schema = useQuery(taskSchemaQuery).data;
  const fields = useMemo(
    () => fieldsOfProfiles(schema ? groupsOf(schema as JsonObject) : []),
    [schema],
  );
  const place = `layers[${index}]`;
  const title = `Layer ${index + 1}`;
  return (
    <section className="card card-body" aria-label={title}>
      <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-end">
        <TextInput
          label={title}
          value={layer.name}
          onChange={(event) => onChange({ ...layer, name: event.currentTarget.value })}
          error={faults.get(`${place}.name`)}
          maxLength={100}
          size="xs"
          className={classes.layerName}
        />
        <Group gap={4} wrap="nowrap">
          <Sign label={`Move ${title} up`} disabled={index === 0} onClick={() => onMove(-1)}>
            <IconArrowUp size={14} aria-hidden />
          </Sign>
          <Sign
            label={`Move ${title} down`}
            disabled={index === count - 1}
            onClick={() => onMove(1)}
          >
            <IconArrowDown size={14} aria-hidden />
          </Sign>
          <Sign label={`Remove ${title}`} onClick={onRemove}>
            <IconTrash size={14} aria-hidden />
          </Sign>
        </Group>
      </Group>
      <Text size="xs" fw={600} mt="sm" mb={4} component="h3">
        {layer.when.length === 0 ? "Applies always" : "Applies when all of these hold"}
      </Text>
      {layer.when.map((row) => (
        <ConditionRow
          key={row.id}
          row={row}
          facts={words?.facts ?? []}
          fault={faults.get(`${place}.when.${row.fact}`)}
          onChange={(changed) => onChange({ ...layer, when: withRow(layer.when, changed) })}
          onRemove={() => onChange({ ...layer, when: withoutRow(layer.when, row.id) })}
        />
      ))}
      <AddButton onClick={() => onChange({ ...layer, when: [...layer.when, newCondition()] })}>
        Add a condition
      </AddButton>
      <Text size="xs" fw={600} mt="sm" mb={4} component="h3">
        Sets
      </Text>
      {layer.set.map((row) => (
        <SettingRow
          key={row.id}
          row={row}
          fields={fields}
          rules={words?.rules ?? []}
          fault={faults.get(`${place}.set.${row.field}`)}
          onChange={(changed) => onChange({ ...layer, set: withRow(layer.set, changed) })}
          onRemove={() => onChange({ ...layer, set: withoutRow(layer.set, row.id) })}
        />
      ))}
      <AddButton onClick={() => onChange({ ...layer, set: [...layer.set, newSetting()] })}>
        Add a field
      </AddButton>
    </section>
  );
}

interface RowProps<Row> {
  row: Row;
  fault: string | undefined;
  onChange: (row: Row) => void;
  onRemove: () => void;
}

function ConditionRow(props: RowProps<ConditionDraft> & { facts: ProfileWords["facts"] }) {
  const { row, fault, onChange, onRemove, facts } = props;
  const fact = facts.find(({ name }) => name === row.fact);
  return (
    <div className={classes.row}>
      <Autocomplete
        aria-label="Fact"
        placeholder="Fact"
        size="xs"
        data={facts.map(({ name }) => name)}
        value={row.fact}
        onChange={(name) => onChange({ ...row, fact: name.trim() })}
        description={fact && <WithCode text={fact.meaning} />}
        inputWrapperOrder={["input", "description", "error"]}
        error={fault}
        spellCheck={false}
      />
      <Autocomplete
        aria-label={`Wanted of ${row.fact || "the fact"}`}
        placeholder={fact?.kind === "number" ? "at least 4, at most 80, 4 to 8" : "a, b"}
        size="xs"
        data={suggestedWants(fact)}
        filter={({ options }) => options}
        value={row.text}
        onChange={(text) => onChange({ ...row, text })}
        spellCheck={false}
      />
      <Sign label={`Remove the condition ${row.fact}`} onClick={onRemove}>
        <IconX size={14} aria-hidden />
      </Sign>
    </div>
  );
}

interface SettingRowProps extends RowProps<SettingDraft> {
  fields: readonly FieldSpec[];
  rules: ProfileWords["rules"];
}

function SettingRow({ row, fault, onChange, onRemove, fields, rules }: SettingRowProps) {
  const field = fields.find(({ name }) => name === row.field);
  return (
    <div className={classes.row}>
      <Autocomplete
        aria-label="Field"
        placeholder="group.field"
        size="xs"
        data={fields.map(({ name }) => name)}
        value={row.field}
        onChange={(name) => onChange({ ...row, field: name.trim() })}
        description={field?.description && <WithCode text={field.description} />}
        inputWrapperOrder={["input", "description", "error"]}
        error={fault}
        limit={200}
        spellCheck={false}
      />
      <Autocomplete
        aria-label={`Value of ${row.field || "the field"}`}
        placeholder="8, or 8, 16 to try both"
        size="xs"
        data={suggestedValues(field, row.field, rules)}
        filter={({ options }) => options}
        value={row.text}
        onChange={(text) => onChange({ ...row, text })}
        spellCheck={false}
      />
      <Sign label={`Remove the field ${row.field}`} onClick={onRemove}>
        <IconX size={14} aria-hidden />
      </Sign>
      <TextInput
        aria-label={`Why ${row.field || "the field"}`}
        placeholder="Why (shown next to the value)"
        size="xs"
        value={row.why}
        onChange={(event) => onChange({ ...row, why: event.currentTarget.value })}
        className={classes.why}
      />
    </div>
  );
}

interface SignProps {
  label: string;
  disabled?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}

function Sign({ label, disabled = false, onClick, children }: SignProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={label}
        disabled={disabled}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

function AddButton({ onClick, children }: { onClick: () => void; children: string }) {
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      leftSection={<IconPlus size={12} aria-hidden />}
      onClick={onClick}
    >
      {children}
    </Button>
  );
}

function withRow<Row extends { id: number }>(rows: readonly Row[], changed: Row): Row[] {
  return rows.map((row) => (row.id === changed.id ? changed : row));
}

function withoutRow<Row extends { id: number }>(rows: readonly Row[], id: number): Row[] {
  return rows.filter((row) => row.id !== id);
}
