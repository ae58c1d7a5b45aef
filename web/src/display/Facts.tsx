import { Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Facts.module.css";

export type Fact = { label: string; value: ReactNode; hint?: string };

/** A row of figures, each with its name below it. */
export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map((fact) => (
        <Tooltip key={fact.label} label={fact.hint} disabled={!fact.hint}>
          <div className={classes.fact}>
            <dt className={classes.label}>{fact.label}</dt>
            <dd className={classes.value}>{fact.value}</dd>
          </div>
        </Tooltip>
      ))}
    </dl>
  );
}
