import type { NextTick } from "../api/types.ts";
import { shortMoment } from "../display/format.ts";
import { LabWhen } from "../display/When.tsx";
import classes from "./TickList.module.css";

/** `2026-12-21T08:00:00` of the campaign's own wall clock, for people. */
function wallTime(local: string): string {
  // Read as if it were ours: only its figures are shown, and the zone stands above.
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : shortMoment(at);
}

/** When rounds begin, by the clock on the campaign's wall. */
export function TickList({ ticks }: { ticks: readonly NextTick[] }) {
  return (
    <ol className={classes.list}>
      {ticks.map((tick) => (
        <li key={tick.at}>
          <span className={classes.local}>{wallTime(tick.local)}</span>
          <span className={classes.rest}>
            <LabWhen at={tick.at} short />
          </span>
          {tick.note ? <span className={classes.note}>{tick.note}</span> : null}
        </li>
      ))}
    </ol>
  );
}
