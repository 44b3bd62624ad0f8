import { Alert, Anchor, Card, List } from "@mantine/core";
import type { Suggestion } from "~/api/plans";
import { ApiProblem, type Fault } from "~/api/problems";
import { ErrorNotice } from "~/ui/error-notice";
import { counted } from "~/ui/format";
import { ownPaths } from "../document/rebase";
import { valueAt } from "../document/values";
import type { DraftTools } from "../use-draft";
import { DecisionSection } from "./decision-section";
import { type Decisions, lacksModel, type OnFault } from "./decisions";
import { GoalField } from "./goal-field";
import { ModelField } from "./model-field";
import { PlaceField } from "./place-field";
import { ProfileCards } from "./profile-cards";
import { SystemField } from "./system-field";
import { WorkloadField } from "./workload-field";

interface QuickFormProps {
  tools: DraftTools;
  suggestion: Suggestion | null;
  /** Why there is no suggestion for the decisions as they stand. */
  problem: unknown;
  onFault: OnFault;
  onRetry: () => void;
  onAdvanced: () => void;
}

export function QuickForm(props: QuickFormProps) {
  const { tools, suggestion, problem, onFault, onRetry, onAdvanced } = props;
  const { draft, act } = tools;
  const { decisions } = draft;
  const content = draft.task.content;
  const decide = (change: Partial<Decisions>) => act({ kind: "decide", decisions: change });
  const faults = problem instanceof ApiProblem ? problem.faults : [];
  const faultAt = (path: string) => faults.find((fault) => isAt(fault, path))?.message ?? null;
  const modelFault = lacksModel(decisions, content)
    ? "Enter the model to serve"
    : (faultAt("model") ?? faultOfModel(problem));
  const said = {
    gpu: textAt(content, "system", "gpu_type"),
    gpus: numberAt(content, "system", "total_gpus"),
    backend: textAt(content, "system", "backend"),
    isl: numberAt(content, "runtime", "isl"),
    osl: numberAt(content, "runtime", "osl"),
  };
  const isShownAtField =
    modelFault !== null || faults.some((fault) => FIELDS.some((path) => isAt(fault, path)));
  return (
    <>
      {draft.task.content === null && draft.task.text !== "" && (
        <Alert color="yellow" mb="sm" role="status">
          The YAML in Advanced cannot be read at the moment, so decisions change nothing.{" "}
          <Anchor component="button" type="button" inherit onClick={onAdvanced}>
            Mend it there
          </Anchor>
        </Alert>
      )}
      <Card className="card" p={0}>
        <DecisionSection number={1} title="Model" hint="What is served">
          <ModelField
            value={decisions.model}
            onChange={(model) => decide({ model })}
            model={suggestion?.model ?? null}
            fault={modelFault}
          />
        </DecisionSection>
        <DecisionSection number={2} title="System" hint="Where, and by which engine">
          <SystemField
            decisions={decisions}
            onDecide={decide}
            onFault={onFault}
            {...said}
            faults={{
              gpu: faultAt("gpu_type"),
              gpus: faultAt("total_gpus"),
              backend: faultAt("backend"),
            }}
          />
          <PlaceField
            value={textAt(content, "deployment_mode")}
            onChange={(launcher) => tools.setValue(["deployment_mode"], launcher)}
            fault={faultAt("deployment_mode")}
          />
        </DecisionSection>
        <DecisionSection number={3} title="Workload" hint="Size of a request">
          <WorkloadField
            decisions={decisions}
            onDecide={decide}
            onFault={onFault}
            isl={said.isl}
            osl={said.osl}
            fault={faultAt("workload")}
          />
        </DecisionSection>
        <DecisionSection number={4} title="Goal" hint="What is better">
          <GoalField
            decisions={decisions}
            onDecide={decide}
            onFault={onFault}
            faultAt={(name) => faultAt(`slo.${name}`)}
          />
        </DecisionSection>
        <DecisionSection number={5} title="Profiles" hint="Settings that belong together; optional">
          <ProfileCards
            content={content}
            chosen={decisions.profiles}
            onChange={(profiles) => decide({ profiles })}
          />
        </DecisionSection>
      </Card>
      {problem !== null && !isShownAtField && decisions.model !== "" && (
        <ErrorNotice error={problem} onRetry={onRetry} />
      )}
      <OwnChanges tools={tools} />
      {suggestion && suggestion.notes.length > 0 && (
        <details className="quiet">
          <summary>Why this task: {counted(suggestion.notes.length, "note")}</summary>
          <List size="xs" mt={4}>
            {suggestion.notes.map((note) => (
              <List.Item key={note} className="text-of-users">
                {note}
              </List.Item>
            ))}
          </List>
        </details>
      )}
    </>
  );
}

const FIELDS = ["model", "gpu_type", "total_gpus", "backend", "deployment_mode", "workload", "slo"];

/** Says what of the document is the author's own and stays when decisions change. */
function OwnChanges({ tools }: { tools: DraftTools }) {
  const { task, suggested, isOpened } = tools.draft;
  if (task.content === null || suggested === null) return null;
  const own = ownPaths(task.content, suggested, isOpened);
  if (own.length === 0) return null;
  return (
    <Alert color="gray" py={6} role="status">
      {counted(own.length, "value")} of yours {own.length === 1 ? "stays" : "stay"} when a decision
      changes:{" "}
      {own
        .slice(0, 6)
        .map((path) => path.join("."))
        .join(", ")}
      {own.length > 6 && " …"}
    </Alert>
  );
}

/** A problem that has no faults, and says at the beginning that it is about the model. */
function faultOfModel(problem: unknown): string | null {
  if (!(problem instanceof ApiProblem) || problem.isOffline) return null;
  const [, message] = /^model(?:\.\w+)?: (.+)$/s.exec(problem.detail) ?? [];
  return message ?? null;
}

function isAt(fault: Fault, path: string): boolean {
  const field = fault.path.replace(/^body\./, "");
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);
}

function textAt(content: Parameters<typeof valueAt>[0] | null, ...path: string[]): string | null {
  const value = valueAt(content ?? undefined, path);
  return typeof value === "string" ? value : null;
}

function numberAt(content: Parameters<typeof valueAt>[0] | null, ...path: string[]): number | null {
  const value = valueAt(content ?? undefined, path);
  return typeof value === "number" ? value : null;
}
