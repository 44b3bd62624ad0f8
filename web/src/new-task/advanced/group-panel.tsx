import { Text, UnstyledButton } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";
import { counted } from "~/ui/format";
import { WithCode } from "~/ui/with-code";
import type { FieldSpec, GroupSpec } from "../document/task-schema";
import classes from "./advanced.module.css";
import { FieldRow } from "./field-row";
import { useForm } from "./form-context";

/** The fields of a group: the basic ones open, the advanced ones behind a line unless given. */
export function GroupPanel({ group }: { group: GroupSpec }) {
  const { stateOf } = useForm();
  const isNeeded = (field: FieldSpec) => {
    const state = stateOf(field);
    return state.given !== undefined || state.faults.length > 0;
  };
  const usable = group.fields.filter((field) => stateOf(field).isExpressible || isNeeded(field));
  const others = group.fields.filter((field) => !usable.includes(field));
  const sections = [
    { title: "Basic", fields: usable.filter((field) => !field.isAdvanced), isOpen: true },
    { title: "Advanced", fields: usable.filter((field) => field.isAdvanced), isOpen: false },
    { title: "Not for this engine", fields: others, isOpen: false },
  ].filter((section) => section.fields.length > 0);
  return (
    <>
      {group.description && (
        <Text size="xs" className="quiet" px="md" pt="sm">
          <WithCode text={group.description} />
        </Text>
      )}
      {sections.map((section, index) => (
        <Section
          key={section.title}
          title={section.title}
          fields={section.fields}
          opens={section.isOpen || index === 0 || section.fields.some(isNeeded)}
        />
      ))}
    </>
  );
}

interface SectionProps {
  title: string;
  fields: readonly FieldSpec[];
  opens: boolean;
}

function Section({ title, fields, opens }: SectionProps) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const isOpen = chosen ?? opens;
  return (
    <section>
      <UnstyledButton
        className={classes.section}
        aria-expanded={isOpen}
        onClick={() => setChosen(!isOpen)}
      >
        <IconChevronRight size={14} aria-hidden className={isOpen ? classes.open : undefined} />
        {title}
        <span className="quiet">{counted(fields.length, "field")}</span>
      </UnstyledButton>
      {isOpen && fields.map((field) => <FieldRow key={field.name} spec={field} />)}
    </section>
  );
}
