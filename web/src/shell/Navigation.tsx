import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { doubtfulJobsQuery, tasksQuery, waitingBatchesQuery } from "../api/queries.ts";
import { byHandQuery } from "../by-hand/queries.ts";
import { readyOf } from "../by-hand/sections.ts";
import { mayEverywhere, useSession } from "../session/may.ts";
import { Mark } from "./Mark.tsx";
import classes from "./Navigation.module.css";
import { PLACES, type Place } from "./places.ts";

/** The places, with how much waits in each. */
export function Navigation({ burger }: { burger: ReactNode }) {
  const session = useSession();
  const waits = useWaiting();
  return (
    <nav aria-label="Places" className={classes.nav}>
      <div className={classes.brand}>
        <Link to="/" className={classes.name}>
          <Mark />
          <span>Loopwright</span>
        </Link>
        {burger}
      </div>
      {PLACES.map(({ group, places }) => {
        const open = places.filter((place) => !place.needs || mayEverywhere(session, place.needs));
        if (open.length === 0) return null;
        return (
          <div key={group ?? "first"} className={classes.group}>
            {group ? <Text className={classes.heading}>{group}</Text> : null}
            {open.map((place) => (
              <Entry key={place.to} place={place} waiting={waits[place.to] ?? 0} />
            ))}
          </div>
        );
      })}
      {session.demo ? (
        <div className={classes.demo}>
          <strong>A demo.</strong> The laboratory is simulated and its clock jumps to whatever is due next.
        </div>
      ) : null}
    </nav>
  );
}

function Entry({ place, waiting }: { place: Place; waiting: number }) {
  const Sign = place.icon;
  return (
    <Link
      to={place.to}
      className={classes.entry}
      activeOptions={{ exact: place.to === "/" }}
      activeProps={{ "data-active": true, "aria-current": "page" }}
    >
      <Sign size={17} stroke={1.6} aria-hidden />
      <span>{place.label}</span>
      {waiting > 0 ? (
        <span className={classes.waiting} title={`${waiting} waiting`}>
          {waiting}
          <span className="lw-hidden"> waiting</span>
        </span>
      ) : null}
    </Link>
  );
}

function useWaiting(): Partial<Record<Place["to"], number>> {
  const batches = useQuery(waitingBatchesQuery);
  const doubts = useQuery(doubtfulJobsQuery);
  const tasks = useQuery(tasksQuery(true));
  const steps = useQuery(byHandQuery);
  return {
    "/batches": batches.data?.items.length,
    "/jobs": doubts.data?.items.length,
    "/tasks": tasks.data?.items.length,
    "/by-hand": readyOf(steps.data).length,
  };
}
