import { IconCheck, IconHandStop, IconLoader2, IconX } from "@tabler/icons-react";
import type { RoundProgress } from "../api/types.ts";
import { title } from "../display/format.ts";
import classes from "./Stages.module.css";
import { marks, STAGES } from "./stages.ts";

const WAITS_FOR_PEOPLE = "awaiting_approval";

/** The way of a round through its stages, live. */
export function Stages({ round }: { round: RoundProgress }) {
  const all = marks(round);
  return (
    <ol className={classes.stages} aria-label={`Stages of round ${round.number}`}>
      {STAGES.map((stage) => {
        const mark = all[stage];
        const waits = mark === "now" && stage === WAITS_FOR_PEOPLE;
        return (
          <li
            key={stage}
            className={classes.stage}
            data-mark={waits ? "waits" : mark}
            aria-current={mark === "now" || mark === "held" ? "step" : undefined}
          >
            <span className={classes.dot} aria-hidden>
              {mark === "done" ? <IconCheck size={12} stroke={3} /> : null}
              {mark === "now" && !waits ? (
                <IconLoader2 size={13} stroke={2.4} className={classes.turning} />
              ) : null}
              {waits || mark === "held" ? <IconHandStop size={12} stroke={2.4} /> : null}
              {mark === "stopped" ? <IconX size={12} stroke={3} /> : null}
            </span>
            <span className={classes.name}>{title(stage)}</span>
            <span className="lw-hidden">{mark}</span>
          </li>
        );
      })}
    </ol>
  );
}
