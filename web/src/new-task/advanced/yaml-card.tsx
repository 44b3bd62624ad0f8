import { ActionIcon, Card, Skeleton, Tooltip } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { lazy, Suspense, useMemo } from "react";
import { CopyButton } from "~/ui/copy-button";
import { counted } from "~/ui/format";
import { saveText } from "~/ui/saved-files";
import { pathOf, placeOf } from "../document/fault-places";
import { valueAt } from "../document/values";
import type { Checks } from "../use-checks";
import type { DraftTools } from "../use-draft";
import classes from "./advanced.module.css";
import { useForm } from "./form-context";

const YamlEditor = lazy(() => import("./yaml-editor"));

/** The text itself, with the faults of text and fields where they are. */
export function YamlCard({ tools, checks }: { tools: DraftTools; checks: Checks }) {
  const { groups, choicesOf } = useForm();
  const { task } = tools.draft;
  const marks = useMemo(() => {
    if (task.faults.length > 0) return task.faults;
    return checks.faults.map((fault) => ({
      ...placeOf(task, pathOf(fault.path), groups),
      message: fault.path ? `${fault.path}: ${fault.message}` : fault.message,
    }));
  }, [task, checks.faults, groups]);
  const name = valueAt(task.content ?? undefined, ["name"]);
  const fileName = `${
    String(name ?? "task")
      .replace(/[^\w.-]+/g, "-")
      .slice(0, 80) || "task"
  }.yaml`;
  const [first] = task.faults;
  return (
    <Card className={`card ${classes.editor}`} p={0} component="section" aria-label="YAML">
      <div className={classes.editorHead}>
        <span role="status" className="text-of-users">
          {first
            ? first.message
            : marks.length > 0
              ? counted(marks.length, "fault")
              : "The task as its file"}
        </span>
        <CopyButton text={task.text} what="YAML" />
        <Tooltip label={`Save ${fileName}`}>
          <ActionIcon
            variant="subtle"
            aria-label="Save as a file"
            onClick={() => saveText(task.text, fileName)}
          >
            <IconDownload size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      <Suspense fallback={<Skeleton radius={0} />}>
        <YamlEditor
          text={task.text}
          marks={marks}
          groups={groups}
          choicesOf={choicesOf}
          onChange={(text) => tools.act({ kind: "edit", text, isTyping: true })}
        />
      </Suspense>
    </Card>
  );
}
