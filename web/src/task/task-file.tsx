import { Button, Group, Skeleton, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { taskFileQuery } from "~/api/results";
import { CopyButton } from "~/ui/copy-button";
import { ErrorNotice } from "~/ui/error-notice";
import { saveText } from "~/ui/saved-files";
import { ScrollingBox } from "~/ui/scrolling-box";
import classes from "./configuration.module.css";
import { useTask } from "./task-context";

const KEY = /^(\s*(?:- )?)([^\s#'"][^:#]*)(:(?:\s.*)?)$/;

/** The document as a task file, to copy or to save. */
export function TaskFile() {
  const task = useTask();
  const { data: text, error, refetch } = useQuery(taskFileQuery(task.id, task.revision));
  return (
    <section className="card" aria-labelledby="task-file">
      <Group justify="space-between" px="sm" py={8} gap="xs">
        <Title order={2} fz="md" id="task-file">
          Task file
        </Title>
        {text !== undefined && (
          <Group gap={6}>
            <CopyButton text={text} what="task file" label="Copy" />
            <Button
              size="xs"
              variant="default"
              leftSection={<IconDownload size={14} aria-hidden />}
              onClick={() => saveText(text, `task-${task.id}.yaml`)}
            >
              Save
            </Button>
          </Group>
        )}
      </Group>
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {text === undefined && !error && <Skeleton h={320} />}
      {text !== undefined && (
        <ScrollingBox label="Task file as YAML" className={classes.yaml}>
          {text.split("\n").map((line, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text have nothing but their place.
            <YamlLine key={place} line={line} />
          ))}
        </ScrollingBox>
      )}
    </section>
  );
}

function YamlLine({ line }: { line: string }) {
  if (line.trimStart().startsWith("#"))
    return (
      <span className={classes.comment}>
        {line}
        {"\n"}
      </span>
    );
  const found = KEY.exec(line);
  if (found === null) return `${line}\n`;
  return (
    <>
      {found[1]}
      <span className={classes.key}>{found[2]}</span>
      {found[3]}
      {"\n"}
    </>
  );
}
