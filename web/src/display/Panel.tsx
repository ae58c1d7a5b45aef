import { Paper, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Panel.module.css";

type Props = {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Content reaches the edges (tables). */
  flush?: boolean;
  className?: string;
};

/** One part of a page with its own heading. */
export function Panel({ title, note, actions, children, flush = false, className }: Props) {
  return (
    <Paper
      component="section"
      aria-label={title}
      className={[classes.panel, className].filter(Boolean).join(" ")}
    >
      <div className={classes.head}>
        <Title order={2} className={classes.title}>
          {title}
        </Title>
        {note ? <div className={classes.note}>{note}</div> : null}
        {actions ? <div className={classes.actions}>{actions}</div> : null}
      </div>
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </Paper>
  );
}
