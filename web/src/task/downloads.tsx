import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { IconDownload, IconExternalLink, IconRocket } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { type ExportForm, reportPath, saveExport } from "~/api/results";
import type { Task } from "~/api/tasks";
import { ErrorNotice } from "~/ui/error-notice";
import { useTask } from "./task-context";

const ExportDialog = lazy(() => import("./export-dialog"));

interface Form {
  form: ExportForm;
  label: string;
  what: string;
  /** What there has to be before it holds anything. */
  needs?: "launch" | "result";
}

const FORMS: readonly Form[] = [
  {
    form: "frontier",
    label: "Shell script",
    what: "A shell script that serves each point of the frontier",
    needs: "result",
  },
  { form: "csv", label: "CSV", what: "Every level that was measured", needs: "launch" },
  { form: "json", label: "JSON", what: "All results, as autotuner show --json prints them" },
  { form: "yaml", label: "Task file", what: "The document of this task, to run it elsewhere" },
  {
    form: "landscape",
    label: "Landscape",
    what: "A table of all launches that a task can replay",
    needs: "result",
  },
];

/** What can be taken away from a task. */
export function Downloads() {
  const task = useTask();
  const [isDeploying, setDeploying] = useState(false);
  const saving = useMutation({ mutationFn: (form: ExportForm) => saveExport(task.id, form) });
  const open = FORMS.filter((form) => isEmpty(form, task)).map(({ label }) => label);
  return (
    <section className="card card-body" aria-labelledby="downloads">
      <Title order={2} fz="md" id="downloads" mb="xs">
        Download
      </Title>
      <Group gap="xs">
        <Button
          size="xs"
          disabled={isEmpty({ needs: "result" }, task)}
          leftSection={<IconRocket size={14} aria-hidden />}
          onClick={() => setDeploying(true)}
        >
          Deploy…
        </Button>
        <Button
          component="a"
          href={reportPath(task.id)}
          target="_blank"
          rel="noreferrer"
          size="xs"
          variant="default"
          leftSection={<IconExternalLink size={14} aria-hidden />}
        >
          Report
        </Button>
        {FORMS.map(({ form, label, what, needs }) => (
          <Button
            key={form}
            disabled={isEmpty({ needs }, task)}
            size="xs"
            variant="default"
            title={what}
            leftSection={<IconDownload size={14} aria-hidden />}
            loading={saving.isPending && saving.variables === form}
            onClick={() => saving.mutate(form)}
          >
            {label}
          </Button>
        ))}
      </Group>
      {isDeploying && (
        <Suspense>
          <ExportDialog taskId={task.id} onClose={() => setDeploying(false)} />
        </Suspense>
      )}
      {saving.isError && (
        <Stack mt="sm">
          <ErrorNotice error={saving.error} />
        </Stack>
      )}
      <Text size="xs" className="quiet" mt="xs">
        The report is one page that works offline.
        {open.length > 0 && ` Without a measured launch there is no ${inWords(open)}.`}
      </Text>
    </section>
  );
}

/** Whether an export would hold nothing as the task stands. */
export function isEmpty(
  { needs }: Pick<Form, "needs">,
  { experiments }: Pick<Task, "experiments">,
) {
  if (needs === "result") return experiments.completed === 0;
  return needs === "launch" && experiments.total === 0;
}

const WORDS = new Intl.ListFormat("en-GB", { type: "disjunction" });
const inWords = (labels: readonly string[]): string => WORDS.format(labels);
