import { Alert, Card, SegmentedControl, Tabs } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { PageLoading } from "~/app/page-loading";
import { type GroupSpec, TASK } from "../document/task-schema";
import { valueAt } from "../document/values";
import pageClasses from "../new-task.module.css";
import type { OnFault } from "../quick/decisions";
import type { Checks } from "../use-checks";
import type { DraftTools } from "../use-draft";
import classes from "./advanced.module.css";
import { Combinations } from "./combinations";
import { type Form, FormContext, useFormOf } from "./form-context";
import { GroupPanel } from "./group-panel";
import { YamlCard } from "./yaml-card";

interface AdvancedFormProps {
  tools: DraftTools;
  checks: Checks;
  onFault: OnFault;
  panel: ReactNode;
  bar: ReactNode;
}

const COMBINATIONS = "combinations";
const SIDES = [
  { value: "yaml", label: "YAML" },
  { value: "plan", label: "Plan" },
];

/** The whole document as a form, and as YAML beside it: two views of one text. */
export default function AdvancedForm({ tools, checks, onFault, panel, bar }: AdvancedFormProps) {
  const form = useFormOf(tools, checks.faults, onFault);
  const { tab = TASK } = useSearch({ from: "/tasks/new" });
  const navigate = useNavigate({ from: "/tasks/new" });
  const [side, setSide] = useState("yaml");
  const isWide = useMediaQuery("(min-width: 720px)", true);
  if (form === null) return <PageLoading />;
  const setTab = (next: string | null) =>
    void navigate({ search: (before) => ({ ...before, tab: next ?? undefined }), replace: true });
  const isUnreadable = tools.draft.task.content === null && tools.draft.task.text !== "";
  return (
    <FormContext value={form}>
      <div className={pageClasses.advanced}>
        <div className={pageClasses.column}>
          <Card className="card" p={0}>
            <Tabs
              value={tab}
              onChange={setTab}
              keepMounted={false}
              activateTabWithKeyboard={false}
              classNames={{ tabLabel: classes.tabLabel }}
              orientation={isWide ? "vertical" : "horizontal"}
            >
              <Tabs.List className={classes.tabs} aria-label="Parts of the task">
                {form.groups.map((group) => (
                  <GroupTab key={group.name} group={group} form={form} />
                ))}
                <CombinationsTab form={form} />
              </Tabs.List>
              <fieldset disabled={isUnreadable} className={classes.fields}>
                {isUnreadable && (
                  <Alert color="yellow" m="sm" py={8} role="status">
                    The YAML cannot be read at the moment; the form follows again once it can.
                  </Alert>
                )}
                {form.groups.map((group) => (
                  <Tabs.Panel key={group.name} value={group.name} pb="xs">
                    <GroupPanel group={group} />
                  </Tabs.Panel>
                ))}
                <Tabs.Panel value={COMBINATIONS}>
                  <Combinations />
                </Tabs.Panel>
              </fieldset>
            </Tabs>
          </Card>
        </div>
        <div className={`${pageClasses.column} ${pageClasses.side}`}>
          <SegmentedControl
            size="xs"
            data={SIDES}
            value={side}
            onChange={setSide}
            aria-label="Beside the form"
          />
          {side === "yaml" ? <YamlCard tools={tools} checks={checks} /> : panel}
          {bar}
        </div>
      </div>
    </FormContext>
  );
}

function GroupTab({ group, form }: { group: GroupSpec; form: Form }) {
  const given = group.fields.filter((field) => form.stateOf(field).given !== undefined).length;
  const faults = form.faults.filter((fault) => ownerOf(fault.path, form) === group.name).length;
  return (
    <Tabs.Tab value={group.name} className={classes.tab}>
      {group.title}
      <Count given={given} faults={faults} />
    </Tabs.Tab>
  );
}

function CombinationsTab({ form }: { form: Form }) {
  const given = valueAt(form.content, [COMBINATIONS]);
  const faults = form.faults.filter((fault) => fault.path.startsWith(COMBINATIONS)).length;
  return (
    <Tabs.Tab value={COMBINATIONS} className={classes.tab}>
      Combinations
      <Count given={Array.isArray(given) ? given.length : 0} faults={faults} />
    </Tabs.Tab>
  );
}

function Count({ given, faults }: { given: number; faults: number }) {
  if (faults > 0) {
    return (
      <span className={classes.dot} data-fault title={`${faults} at fault`}>
        {faults}
        <span aria-hidden>!</span>
      </span>
    );
  }
  return given > 0 ? (
    <span className={classes.dot} title={`${given} set by you`}>
      {given}
    </span>
  ) : null;
}

function ownerOf(path: string, form: Form): string {
  const first = /^\w+/.exec(path)?.[0] ?? "";
  if (first === COMBINATIONS) return first;
  return form.groups.some((group) => group.name === first) ? first : TASK;
}
