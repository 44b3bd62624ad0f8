import { ActionIcon, Alert, Anchor, Button, Group, SegmentedControl, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconFileImport } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { ApiProblem } from "~/api/problems";
import { PageLoading } from "~/app/page-loading";
import { counted } from "~/ui/format";
import classes from "./new-task.module.css";
import type { Opened } from "./opened";
import { PlanPanel } from "./plan/plan-panel";
import { lacksModel } from "./quick/decisions";
import { QuickForm } from "./quick/quick-form";
import { StaleNotice } from "./stale-notice";
import { SubmitBar } from "./submit-bar";
import { useChecks } from "./use-checks";
import { useDraft } from "./use-draft";
import { useSubmit } from "./use-submit";
import { useSuggestion } from "./use-suggestion";

const AdvancedForm = lazy(() => import("./advanced/advanced-form"));
const ImportDialog = lazy(() => import("./import-dialog"));

const MODES = [
  { value: "quick", label: "Quick" },
  { value: "advanced", label: "Advanced" },
];

export function TaskForm({ storageKey, opened }: { storageKey: string; opened: Opened }) {
  const tools = useDraft(storageKey, opened.first);
  const { draft, act } = tools;
  const suggestion = useSuggestion(draft.decisions, act);
  const checks = useChecks(draft.task.content, draft.openings);
  const submit = useSubmit({
    editedId: opened.editedId,
    etag: draft.etag,
    onSaved: (etag) => act({ kind: "retag", etag }),
    onDone: tools.finish,
  });
  const { mode = "quick" } = useSearch({ from: "/tasks/new" });
  const navigate = useNavigate({ from: "/tasks/new" });
  const [isImporting, setImporting] = useState(false);
  const [faulty, setFaulty] = useState<readonly string[]>([]);
  const onFault = useCallback((field: string, fault: string | null) => {
    setFaulty((before) => {
      if (before.includes(field) === (fault !== null)) return before;
      return fault === null ? before.filter((each) => each !== field) : [...before, field];
    });
  }, []);
  const [isKeptShown, setKeptShown] = useState(opened.isKept);

  const setMode = (next: string) =>
    void navigate({
      search: (before) => ({ ...before, mode: next === "advanced" ? next : undefined }),
      replace: true,
    });
  const startOver = () => {
    act({ kind: "replace", draft: opened.fresh });
    setKeptShown(false);
  };
  // A hint at what is new ends with the first thing that is done to it.
  useEffect(() => {
    if (draft.past.length > 0) setKeptShown(false);
  }, [draft.past.length]);

  const isModelGone = mode === "quick" && lacksModel(draft.decisions, draft.task.content);
  const behind = whyBehind({
    isUnreadable: draft.task.content === null && draft.task.text !== "",
    faultyFields: faulty.length,
    isModelGone,
    isUnsuggested: mode === "quick" && suggestion.isError,
  });
  const bar = (
    <SubmitBar
      tools={tools}
      checks={checks}
      submit={submit}
      isEdit={opened.editedId !== null}
      isBehind={behind !== null || (mode === "quick" && suggestion.isBehind)}
    />
  );
  const panel = (
    <PlanPanel checks={checks} behind={behind} problem={suggestion.data?.problem ?? null} />
  );
  return (
    <div className="page page-wide">
      <div className={classes.head}>
        <h1 className={classes.heading}>{opened.title}</h1>
        <Tooltip label="Undo">
          <ActionIcon
            variant="default"
            size={30}
            aria-label="Undo"
            disabled={draft.past.length === 0}
            onClick={() => act({ kind: "undo" })}
          >
            <IconArrowBackUp size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Redo">
          <ActionIcon
            variant="default"
            size={30}
            aria-label="Redo"
            disabled={draft.future.length === 0}
            onClick={() => act({ kind: "redo" })}
          >
            <IconArrowForwardUp size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconFileImport size={14} aria-hidden />}
          onClick={() => setImporting(true)}
        >
          Import
        </Button>
        <SegmentedControl
          size="xs"
          data={MODES}
          value={mode}
          onChange={setMode}
          aria-label="Form"
        />
      </div>
      {opened.notice && (
        <Alert color="blue" mb="sm" py={8}>
          {opened.notice}
        </Alert>
      )}
      {isKeptShown && (
        <Alert
          color="gray"
          mb="sm"
          py={6}
          role="status"
          withCloseButton
          onClose={() => setKeptShown(false)}
        >
          <Group gap="xs">
            Your draft was kept.
            <Anchor component="button" type="button" onClick={startOver}>
              Start over
            </Anchor>
          </Group>
        </Alert>
      )}
      {opened.editedId !== null && submit.error instanceof ApiProblem && submit.error.isStale && (
        <StaleNotice
          taskId={opened.editedId}
          tools={tools}
          onSaveOver={(etag) => {
            const { content } = draft.task;
            if (content) submit.mutate({ content, start: submit.variables?.start ?? false, etag });
          }}
          onTaken={(etag) => {
            act({ kind: "retag", etag });
            submit.reset();
          }}
        />
      )}
      {mode === "quick" ? (
        <div className={classes.quick}>
          <div className={classes.column}>
            <QuickForm
              tools={tools}
              suggestion={suggestion.data ?? null}
              problem={suggestion.error}
              onFault={onFault}
              onRetry={() => void suggestion.refetch()}
              onAdvanced={() => setMode("advanced")}
            />
          </div>
          <div className={`${classes.column} ${classes.side}`}>
            {panel}
            {bar}
          </div>
        </div>
      ) : (
        <Suspense fallback={<PageLoading />}>
          <AdvancedForm tools={tools} checks={checks} onFault={onFault} panel={panel} bar={bar} />
        </Suspense>
      )}
      {isImporting && (
        <Suspense fallback={null}>
          <ImportDialog tools={tools} onClose={() => setImporting(false)} />
        </Suspense>
      )}
    </div>
  );
}

interface Behind {
  isUnreadable: boolean;
  faultyFields: number;
  isModelGone: boolean;
  isUnsuggested: boolean;
}

/** Why the document, and so its plan, is behind what stands in the form; null where it is not. */
function whyBehind({ isUnreadable, faultyFields, isModelGone, isUnsuggested }: Behind) {
  if (isUnreadable) return "the YAML cannot be read";
  if (faultyFields > 0) {
    return `${counted(faultyFields, "field holds", "fields hold")} a value that cannot be taken`;
  }
  if (isModelGone) return "no model is named";
  return isUnsuggested ? "the service suggests nothing for what was changed since" : null;
}
