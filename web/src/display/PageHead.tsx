import { Anchor, Group, Title } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import classes from "./PageHead.module.css";

type Crumb = { label: string; link: LinkProps };
type Props = { title: string; above?: Crumb[]; badge?: ReactNode; note?: ReactNode; actions?: ReactNode };

/** The head of a page: where one is, what it is, what can be done with it. Names the browser's tab, too. */
export function PageHead({ title, above = [], badge, note, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · Loopwright`;
  }, [title]);
  return (
    <header className={classes.head}>
      <div className={classes.words}>
        {above.length > 0 ? (
          <nav aria-label="Where you are" className={classes.above}>
            {above.map((crumb, at) => (
              <span key={crumb.label} className="lw-cut">
                {at > 0 ? (
                  <span aria-hidden className={classes.slash}>
                    /
                  </span>
                ) : null}
                <Anchor
                  size="xs"
                  c="dimmed"
                  title={crumb.label}
                  renderRoot={(props) => <Link {...props} {...crumb.link} />}
                >
                  {crumb.label}
                </Anchor>
              </span>
            ))}
          </nav>
        ) : null}
        <Group gap="sm" wrap="nowrap" className={classes.line}>
          <Title order={1} className={classes.title} title={title} tabIndex={-1} id="page-title">
            {title}
          </Title>
          {badge}
        </Group>
        {note ? <div className={classes.note}>{note}</div> : null}
      </div>
      {actions ? <div className={classes.actions}>{actions}</div> : null}
    </header>
  );
}
