import type { InstrumentWork } from "../api/types.ts";
import { count, duration, percent } from "../display/format.ts";
import classes from "./Instrument.module.css";
import { passed, share } from "./work.ts";

type Props = { work: InstrumentWork; places: number; now: Date };

const NAME = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** A line for each day, the newest first: how busy it was, and how its steps ended. */
export function Days({ work, places, now }: Props) {
  const days = [...work.days].reverse();
  return (
    <>
      <table className={classes.days}>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" className={classes.bar}>
              Busy
            </th>
            <th scope="col" className={classes.number}>
              Share
            </th>
            <th scope="col" className={classes.number}>
              Steps
            </th>
            <th scope="col" className={classes.number}>
              Not well
            </th>
          </tr>
        </thead>
        <tbody>
          {days.map((day, back) => {
            const busy = share(day, places, passed(day.day, now));
            return (
              <tr key={day.day} className={back === 0 ? classes.today : undefined}>
                <td>{back === 0 ? "Today" : NAME.format(new Date(`${day.day}T12:00:00`))}</td>
                <td className={classes.bar} title={duration(day.busy_seconds)}>
                  <span className={classes.track}>
                    {busy > 0 ? <span className={classes.fill} style={{ width: `${busy * 100}%` }} /> : null}
                  </span>
                </td>
                <td className={classes.number}>{percent(busy)}</td>
                <td className={classes.number}>{count(day.succeeded + day.not_succeeded)}</td>
                <td className={day.not_succeeded ? `${classes.number} ${classes.bad}` : classes.number}>
                  {count(day.not_succeeded)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className={classes.foot}>
        Real time, by your clock{places > 1 ? `, of ${places} slots together` : ""}. Of today, the share of
        what has passed.
        {work.cut ? " The first days lack what came before its newest 5,000 jobs." : ""}
      </p>
    </>
  );
}
