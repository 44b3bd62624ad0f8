import { Alert, Anchor, Button, FileButton, Group, List, Stack, Text, Title } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { limitsQuery } from "~/api/catalog";
import { compareFile, type MigratedFile, type MovedComparison, uploadFile } from "~/api/migrations";
import { ErrorNotice } from "~/ui/error-notice";
import { count, counted } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import { StaleBox } from "~/ui/stale-box";
import { TaskLink } from "~/ui/task-link";
import { DatabaseReportView } from "./database-report";
import { EngineSelect, lacksEngine } from "./engine-select";
import { FileTasks } from "./file-tasks";
import { TaskPreview } from "./task-preview";
import { UndoDialog } from "./undo-dialog";
import { useIsGone } from "./use-is-gone";
import { useMigrationsChanged } from "./use-migrations-changed";

/** A file of version 1: looked at first, then migrated, compared, and taken back. */
export function FileCard() {
  const { mayWrite } = useTaskActions();
  const changed = useMigrationsChanged();
  const [file, setFile] = useState<File | null>(null);
  const [engine, setEngine] = useState<string | null>(null);
  // What the file would become, as it was answered last: it stays while another answer is awaited.
  const [report, setReport] = useState<MigratedFile | null>(null);
  const [asksEngine, setAsksEngine] = useState(false);
  const looking = useMutation({
    mutationFn: ({ one, of }: { one: File; of: string | null }) => uploadFile(one, of, true),
  });
  const moving = useMutation({
    mutationFn: (one: File) => uploadFile(one, engine, false),
    onSuccess: changed,
  });
  const comparing = useMutation({ mutationFn: compareFile });
  const number = moving.data?.kind === "database" ? moving.data.report.migration : undefined;
  const isGone = useIsGone(number);
  const [isUndoing, setIsUndoing] = useState(false);
  const limitBytes = useQuery(limitsQuery).data?.max_upload_bytes ?? Number.POSITIVE_INFINITY;
  const isTooLarge = file !== null && file.size > limitBytes;

  const look = (one: File, of: string | null) =>
    looking.mutate(
      { one, of },
      {
        // Called for the newest question alone.
        onSuccess: (answer) => {
          setReport(answer);
          // Once an engine was asked for, it can be left open again.
          setAsksEngine((before) => before || lacksEngine(answer));
        },
      },
    );
  const take = (chosen: File | null) => {
    if (!chosen) return;
    setFile(chosen);
    setEngine(null);
    setReport(null);
    setAsksEngine(false);
    for (const one of [looking, moving, comparing]) one.reset();
    if (chosen.size <= limitBytes) look(chosen, null);
  };
  const choose = (next: string | null) => {
    setEngine(next);
    if (file) look(file, next);
  };
  // What was taken back elsewhere is what it would become once more.
  const moved = isGone ? null : (moving.data ?? null);
  // Where it cannot be said what it would become, nothing of before is shown for it.
  const found = moved ?? (looking.isError ? null : report);
  const isStale = !moved && looking.isPending;
  return (
    <section className="card card-body" aria-labelledby="from-a-file">
      <Stack gap="sm">
        <Title order={2} fz="md" id="from-a-file">
          From a file
        </Title>
        <Text size="sm" className="quiet">
          A database of version 1 (<code>autotuner.db</code>) or one of its task files. It is only
          read, and nothing is written until you have seen what it becomes.
        </Text>
        <Group gap="sm">
          <FileButton onChange={take} accept=".db,.sqlite,.sqlite3,.json">
            {(props) => (
              <Button
                {...props}
                variant={file ? "default" : "filled"}
                loading={looking.isPending}
                leftSection={<IconUpload size={14} aria-hidden />}
              >
                {file ? "Choose another file" : "Choose a file"}
              </Button>
            )}
          </FileButton>
          {file && (
            <Text size="sm" className="text-of-users">
              {file.name}
            </Text>
          )}
        </Group>
        {isTooLarge && (
          <Alert color="red" variant="light" role="alert" title="The file is too large">
            It has {count(file.size)} bytes; this service accepts {count(limitBytes)} at most. On
            the service's machine, <code>autotuner migrate db</code> moves a database of any size.
          </Alert>
        )}
        {[looking, moving, comparing].map(
          (one, place) =>
            // biome-ignore lint/suspicious/noArrayIndexKey: there are always these three.
            one.isError && <ErrorNotice key={place} error={one.error} />,
        )}
        {isGone && (
          <Alert role="status" title="It has been taken back">
            Nothing from it is left here. It can be migrated again.
          </Alert>
        )}
        {moved && <Done found={moved} />}
        {found && !moved && (
          <Text size="sm" fw={600}>
            What it would become
          </Text>
        )}
        {!moved && asksEngine && <EngineSelect value={engine} onChange={choose} />}
        {found?.kind === "database" && (
          <StaleBox isStale={isStale}>
            <DatabaseReportView report={found.report} isMoved={moved !== null} />
          </StaleBox>
        )}
        {file && found?.kind === "database" && !moved && (
          <FileTasks file={file} engine={engine} onEngine={choose} />
        )}
        {found?.kind === "task" && (
          <StaleBox isStale={isStale}>
            <TaskPreview task={found.task} />
          </StaleBox>
        )}
        {moved && comparing.data && <Compared found={comparing.data} />}
        {file && found && mayWrite && (
          <Group gap="xs">
            {!moved && (
              <Button
                loading={moving.isPending}
                // What it becomes is seen before it is migrated.
                disabled={!looking.isSuccess}
                onClick={() => moving.mutate(file)}
              >
                Migrate it
              </Button>
            )}
            {moved && number !== undefined && (
              <Button
                variant="default"
                loading={comparing.isPending}
                onClick={() => comparing.mutate(file)}
              >
                Compare with the file
              </Button>
            )}
            {moved && number !== undefined && (
              <Button variant="default" onClick={() => setIsUndoing(true)}>
                Take it back
              </Button>
            )}
          </Group>
        )}
      </Stack>
      {isUndoing && file && number !== undefined && (
        <UndoDialog
          migration={number}
          source={file.name}
          onDone={changed}
          onClose={() => {
            setIsUndoing(false);
            for (const one of [moving, comparing]) one.reset();
          }}
        />
      )}
    </section>
  );
}

function Done({ found }: { found: MigratedFile }) {
  const id = found.kind === "task" ? found.task.task_id : null;
  return (
    <Alert color="green" title="It is migrated" role="status">
      <Text size="sm">
        {id === null ? (
          <Anchor
            size="sm"
            c="inherit"
            underline="always"
            renderRoot={(props) => <Link to="/tasks" search={{}} {...props} />}
          >
            Its tasks are in the list.
          </Anchor>
        ) : (
          <TaskLink taskId={id} c="inherit" underline="always">
            It is task {id}.
          </TaskLink>
        )}
      </Text>
    </Alert>
  );
}

function Compared({ found }: { found: MovedComparison }) {
  const values = Object.values(found.leaves).reduce((sum, one) => sum + one, 0);
  const left = found.worked_on;
  return (
    <Alert
      color={found.differing > 0 ? "red" : "green"}
      role="status"
      title={
        found.differing > 0
          ? counted(found.differing, "value differs", "values differ")
          : "Nothing differs"
      }
    >
      <Text size="sm">
        Of the file, {counted(values, "value")} of {counted(found.units, "row")}{" "}
        {values === 1 ? "was" : "were"} compared with what is here.
        {left > 0 &&
          ` ${counted(left, "task was", "tasks were")} worked on here since, and not compared.`}
      </Text>
      {found.differing > 0 && (
        <List size="xs">
          {found.differences.slice(0, 20).map((line) => (
            <List.Item key={line} className="text-of-users">
              {asSentence(line)}
            </List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}
