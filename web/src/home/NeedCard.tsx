import { Button } from "@mantine/core";
import {
  type Icon,
  IconBell,
  IconChecklist,
  IconEye,
  IconFlask2,
  IconHandGrab,
  IconHandStop,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { LabWhen, When } from "../display/When.tsx";
import classes from "./Home.module.css";
import type { Need } from "./needs.ts";

const SIGNS: Record<Need["kind"], Icon> = {
  doubt: IconEye,
  plate: IconFlask2,
  held: IconHandStop,
  batch: IconChecklist,
  hand: IconHandGrab,
  task: IconBell,
};

export function NeedCard({ need }: { need: Need }) {
  const Sign = SIGNS[need.kind];
  return (
    <li className={classes.need} data-kind={need.kind}>
      <span className={classes.sign} aria-hidden>
        <Sign size={18} stroke={1.7} />
      </span>
      <div className={classes.needWords}>
        <div className={classes.needTitle} title={need.title}>
          {need.title}
        </div>
        <div className={classes.needDetail} title={need.detail}>
          {need.detail}
        </div>
        <div className={classes.needTime}>
          {need.since ? (
            <>
              waits since <When at={need.since} />
            </>
          ) : null}
          {need.until ? (
            <span className={classes.until}>
              {" "}
              · expires <LabWhen at={need.until} short />
            </span>
          ) : null}
        </div>
      </div>
      {need.link ? (
        <Button
          variant={need.kind === "batch" ? "filled" : "default"}
          component={Link}
          {...(need.link as { to: string })}
        >
          {need.action}
        </Button>
      ) : null}
    </li>
  );
}
