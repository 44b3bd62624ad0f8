import { Text } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "./quick.module.css";

interface DecisionSectionProps {
  number: number;
  title: string;
  hint: string;
  children: ReactNode;
}

/** One decision: what is decided at the side, the choices beside it. */
export function DecisionSection({ number, title, hint, children }: DecisionSectionProps) {
  const id = useId();
  return (
    <section className={classes.decision} aria-labelledby={id}>
      <div>
        <h2 className={classes.title} id={id}>
          <span className={classes.number} aria-hidden>
            {number}
          </span>
          {title}
        </h2>
        <Text size="xs" className="quiet">
          {hint}
        </Text>
      </div>
      <div className={classes.choices}>{children}</div>
    </section>
  );
}
