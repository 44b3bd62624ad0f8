import { Alert, Button, Card, Checkbox, TextInput } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type EngineSummary, enginesQuery } from "~/api/catalog";
import { ApiProblem } from "~/api/problems";
import { ErrorNotice } from "~/ui/error-notice";
import { type JsonObject, valueAt } from "./document/values";
import classes from "./new-task.module.css";
import type { Checks } from "./use-checks";
import type { DraftTools } from "./use-draft";
import type { useSubmit } from "./use-submit";

interface SubmitBarProps {
  tools: DraftTools;
  checks: Checks;
  submit: ReturnType<typeof useSubmit>;
  isEdit: boolean;
  /** Whether the document still follows the decisions: what is sent has to be what is shown. */
  isBehind: boolean;
}

/** Name and the two ways on: what is sent is the document as it stands. */
export function SubmitBar({ tools, checks, submit, isEdit, isBehind }: SubmitBarProps) {
  const { content } = tools.draft.task;
  const name = valueAt(content ?? undefined, ["name"]);
  const canSend =
    content !== null && Object.keys(content).length > 0 && checks.isValid && !isBehind;
  // An engine may have been installed since another page asked for them.
  const engines = useQuery({ ...enginesQuery, refetchOnMount: "always" }).data ?? [];
  const missing = missingEngines(content, engines);
  // Given engine by engine: another that is missing is asked for again.
  const [accepted, setAccepted] = useState<readonly string[]>([]);
  const areAccepted = missing.every((engine) => accepted.includes(engine.name));
  const mayStart = canSend && areAccepted;
  const send = (start: boolean) => {
    if (content !== null && (start ? mayStart : canSend)) submit.mutate({ content, start });
  };
  const sent = submit.variables?.start;
  const isStale = submit.error instanceof ApiProblem && submit.error.isStale;
  return (
    <Card
      className={`card ${classes.submit}`}
      component="section"
      aria-label={isEdit ? "Save" : "Create"}
    >
      {submit.error !== null && !isStale && <ErrorNotice error={submit.error} />}
      {isEdit && isUnchangeable(submit.error) && (
        <Button
          variant="default"
          onClick={() => content && submit.mutate({ content, start: sent ?? false, isNew: true })}
        >
          Make a new task of it
        </Button>
      )}
      <TextInput
        label="Name"
        value={typeof name === "string" ? name : ""}
        onChange={(event) => tools.setValue(["name"], event.currentTarget.value)}
        disabled={content === null}
        maxLength={200}
        placeholder="Follows the model"
      />
      {missing.length > 0 && (
        <Alert
          color="yellow"
          role="status"
          py={8}
          title={`${WORDS.format(missing.map(({ title }) => title))} ${missing.length === 1 ? "is" : "are"} not installed on the service's machine`}
        >
          Launches fail where an engine is missing; predictions need none.
          <Checkbox
            mt={6}
            size="xs"
            label={`Start anyway: a worker elsewhere has ${missing.length === 1 ? "it" : "them"}`}
            checked={areAccepted}
            onChange={(event) =>
              setAccepted(event.currentTarget.checked ? missing.map((engine) => engine.name) : [])
            }
          />
        </Alert>
      )}
      <div className={classes.ways}>
        <Button
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          onClick={() => send(true)}
          loading={submit.isPending && sent === true}
          disabled={!mayStart || submit.isPending}
          className={classes.main}
        >
          {isEdit ? "Save and start" : "Create and start"}
        </Button>
        <Button
          variant="default"
          onClick={() => send(false)}
          loading={submit.isPending && sent === false}
          disabled={!canSend || submit.isPending}
        >
          {isEdit ? "Save" : "Create"}
        </Button>
      </div>
    </Card>
  );
}

/** Whether the task that was to be changed is gone, or has been started meanwhile. */
function isUnchangeable(error: unknown): boolean {
  return error instanceof ApiProblem && (error.isGone || error.isConflict);
}

const WORDS = new Intl.ListFormat("en-GB");

/** Engines that a local launch needs and this machine lacks. */
function missingEngines(
  content: JsonObject | null,
  engines: readonly EngineSummary[],
): readonly EngineSummary[] {
  if ((valueAt(content ?? undefined, ["deployment_mode"]) ?? "local") !== "local") return [];
  const named = valueAt(content ?? undefined, ["system", "backend"]);
  const wanted: readonly unknown[] = Array.isArray(named) ? named : [named];
  return engines.filter(({ name, found }) => wanted.includes(name) && !found);
}
