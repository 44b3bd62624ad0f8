import { Alert, List, Stack, Switch, Table, Text } from "@mantine/core";
import { useState } from "react";
import type { MigratedTask } from "~/api/migrations";
import { counted } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { FieldTable } from "./field-table";
import { fieldRows, isToLookAt, otherNotes } from "./fields";
import { OutcomeBadge } from "./outcome-badge";

const MOST_NOTES = 20;
const HEADS = [{ title: "Version 1" }, { title: "Outcome" }, { title: "Version 2" }];

/** A task of version 1 and what becomes of it, side by side. */
export function TaskPreview({ task }: { task: MigratedTask }) {
  const [onlyChanged, setOnlyChanged] = useState(false);
  const rows = fieldRows(task);
  const toLookAt = rows.filter(isToLookAt).length;
  const notes = otherNotes(task);
  const why = task.notes.find(({ path }) => path === "")?.text;
  return (
    <Stack gap="sm">
      {task.document === null && (
        <Alert color="red" variant="light" title="It cannot become a version 2 task">
          {asSentence(why ?? "")}
        </Alert>
      )}
      {task.further.length > 0 && (
        <Text size="sm">
          It becomes {counted(task.further.length + 1, "task")}, one for each traffic scenario: a
          task of version 2 has one workload.
        </Text>
      )}
      <Switch
        size="xs"
        label={`Only what needs attention (${toLookAt} of ${rows.length})`}
        checked={onlyChanged}
        onChange={(event) => setOnlyChanged(event.currentTarget.checked)}
      />
      <FieldTable heads={HEADS} size="xs">
        {rows
          .filter((row) => !onlyChanged || isToLookAt(row))
          .map((row) => (
            <Table.Tr key={`${row.path}:${row.field}:${row.note}`}>
              <Table.Th scope="row" className="text-of-users">
                <span className="quiet">{row.path}</span>
                <br />
                {row.before}
              </Table.Th>
              <Table.Td>
                <OutcomeBadge outcome={row.outcome} />
              </Table.Td>
              <Table.Td className="text-of-users">
                {row.field && <span className="quiet">{row.field}</span>}
                {row.field && <br />}
                {row.after}
                {row.note && <span className={row.after ? "quiet" : undefined}> {row.note}</span>}
              </Table.Td>
            </Table.Tr>
          ))}
        {onlyChanged && toLookAt === 0 && (
          <Table.Tr>
            <Table.Td colSpan={3}>Every key means the same as before.</Table.Td>
          </Table.Tr>
        )}
      </FieldTable>
      {notes.length > 0 && (
        <List size="xs">
          {notes.slice(0, MOST_NOTES).map((note) => (
            <List.Item key={note} className="text-of-users">
              {note}
            </List.Item>
          ))}
          {notes.length > MOST_NOTES && (
            <List.Item>and {counted(notes.length - MOST_NOTES, "more note")}</List.Item>
          )}
        </List>
      )}
    </Stack>
  );
}
