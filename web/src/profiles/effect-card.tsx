import { Alert, Group, NativeSelect, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import type { ProfilePreview } from "~/api/profiles";
import { counted, fieldName } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { StaleBox } from "~/ui/stale-box";
import { type EffectRow, effectRows, layerName } from "./effects";
import classes from "./profiles.module.css";
import { textOf } from "./written-values";

interface EffectCardProps {
  one: ProfilePreview;
  /** Whatever it is called in the table. */
  title: string;
  other: ProfilePreview | null;
  others: readonly string[];
  onBeside: (name: string | undefined) => void;
  /** What the circumstances leave open. */
  notes: readonly string[];
  /** Whether what is shown is of the circumstances before. */
  isBehind: boolean;
}

/** What a profile sets in the circumstances, beside another one. */
export function EffectCard(props: EffectCardProps) {
  const { one, title, other, others, onBeside, notes, isBehind } = props;
  const rows = effectRows(one, other);
  const differing = rows.filter(({ differs }) => differs).length;
  return (
    <section className="card card-body" aria-labelledby="profile-effect">
      <Group justify="space-between" gap="sm" align="flex-end" mb="xs">
        <div>
          <Title order={2} fz="md" id="profile-effect">
            What it sets here
          </Title>
          <Text size="xs" className="quiet" role="status">
            {other === null
              ? counted(rows.length, "field")
              : `${counted(differing, "field")} of ${rows.length} ${differing === 1 ? "differs" : "differ"}`}
          </Text>
        </div>
        <NativeSelect
          size="xs"
          label="Beside"
          value={other?.name ?? ""}
          onChange={(event) => onBeside(event.currentTarget.value || undefined)}
          data={[{ value: "", label: "nothing" }, ...others]}
        />
      </Group>
      <StaleBox isStale={isBehind}>
        {one.problem !== null && <Problem text={one.problem} />}
        {rows.length === 0 ? (
          <Text size="sm" className="quiet">
            None of its layers applies here.
          </Text>
        ) : (
          <Table className={classes.effects} fz="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Field</Table.Th>
                <Table.Th scope="col" className="text-of-users">
                  {title}
                </Table.Th>
                {other && (
                  <Table.Th scope="col" className="text-of-users">
                    {other.name}
                  </Table.Th>
                )}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={row.field} data-differs={row.differs}>
                  <Table.Th scope="row" title={row.field}>
                    {fieldName(row.field)}
                  </Table.Th>
                  <Table.Td data-label={title}>
                    <Value setting={row.one} />
                  </Table.Td>
                  {other && (
                    <Table.Td data-label={other.name}>
                      <Value setting={row.other} />
                    </Table.Td>
                  )}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
        <Skipped of={title} preview={one} />
        {other && <Skipped of={other.name} preview={other} />}
        {notes.length > 0 && (
          <Notes>
            {notes.map((note) => (
              <li key={note} className="text-of-users">
                {asSentence(note)}
              </li>
            ))}
          </Notes>
        )}
      </StaleBox>
    </section>
  );
}

function Value({ setting }: { setting: EffectRow["one"] }) {
  if (setting === null) return <span className="quiet">not set</span>;
  return (
    <>
      <span className="text-of-users">{textOf(setting.value)}</span>
      {setting.why && (
        <Text size="xs" className="quiet text-of-users">
          {setting.why}
        </Text>
      )}
    </>
  );
}

function Skipped({ of, preview }: { of: string; preview: ProfilePreview }) {
  if (preview.skipped.length === 0) return null;
  return (
    <details className={classes.skipped}>
      <summary>
        {counted(preview.skipped.length, "layer")} of {of}{" "}
        {preview.skipped.length === 1 ? "does" : "do"} not apply
      </summary>
      <ul>
        {preview.skipped.map(({ layer, reason }) => (
          <li key={layer} className="text-of-users">
            <strong>{layerName(layer)}</strong>: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Problem({ text }: { text: string }) {
  return (
    <Alert color="red" variant="light" title="It cannot be used here" className="text-of-users">
      {asSentence(text)}
    </Alert>
  );
}

function Notes({ children }: { children: ReactNode }) {
  return (
    <details className={classes.skipped}>
      <summary>What is unknown here</summary>
      <ul>{children}</ul>
    </details>
  );
}
