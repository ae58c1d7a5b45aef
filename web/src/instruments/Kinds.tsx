import type { InstrumentKind } from "../api/types.ts";
import { count, duration, percent, title } from "../display/format.ts";
import classes from "./Instrument.module.css";
import { DAYS } from "./queries.ts";

/** How its steps ended and how long they take, by kind. */
export function Kinds({ kinds }: { kinds: InstrumentKind[] }) {
  if (!kinds.length) {
    return <p className={`${classes.soft} ${classes.kinds}`}>Nothing ended on it in the last {DAYS} days.</p>;
  }
  return (
    <table className={`${classes.days} ${classes.kinds}`}>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col" className={classes.number}>
            Succeeded
          </th>
          <th scope="col" className={classes.number}>
            Not well
          </th>
          <th scope="col" className={classes.number}>
            Usually takes
          </th>
        </tr>
      </thead>
      <tbody>
        {kinds.map((kind) => {
          const ended = kind.succeeded + kind.not_succeeded;
          return (
            <tr key={kind.kind}>
              <td>
                <strong>{title(kind.kind)}</strong>
              </td>
              <td className={classes.number}>{count(kind.succeeded)}</td>
              <td className={kind.not_succeeded ? `${classes.number} ${classes.bad}` : classes.number}>
                {count(kind.not_succeeded)}
                {kind.not_succeeded ? ` (${percent(kind.not_succeeded / ended)})` : ""}
              </td>
              <td className={classes.number}>
                {kind.median_seconds == null ? "–" : duration(kind.median_seconds)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
