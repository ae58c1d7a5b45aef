import type { QueryClient } from "@tanstack/react-query";
import type { SealedEvent } from "../api/types.ts";

/** Which reads an event makes old, by the first word of its kind. */
const RENEWS: [RegExp, string[]][] = [
  [/^Batch/, ["batches", "proposals", "draft-plan", "comments", "progress", "tasks", "calendar", "supplies"]],
  [
    /^Round/,
    [
      "progress",
      "rounds",
      "batches",
      "campaigns",
      "learning-curve",
      "calendar",
      "tasks",
      "next-ticks",
      "supplies",
      "stock",
    ],
  ],
  [/^Campaign/, ["campaigns", "progress", "calendar", "next-ticks", "supplies"]],
  [/^Plate/, ["plates", "progress", "tasks", "stock", "supplies"]],
  // Plates are carried and drawn from by jobs.
  [/^Job/, ["jobs", "progress", "tasks", "plates", "by-hand", "stock"]],
  // Drafts of batches that wait are computed anew from what is there.
  [/^(Stock|Library|AssayPlates)/, ["stock", "supplies", "calendar", "batches", "draft-plan"]],
  [/^Model/, ["models", "progress"]],
  [/^Task/, ["tasks"]],
  [/^Instrument/, ["instruments", "calendar"]],
  [/^(User|Grant|Account)/, ["users"]],
  [/^Project/, ["projects"]],
  [/^Token/, ["tokens"]],
  [/^(Calendar|Blackout|Maintenance|Tick)/, ["calendar", "next-ticks", "blackouts", "supplies"]],
  [/^Notification/, ["notifications"]],
  [/^Laboratory/, ["laboratory", "jobs", "progress", "rounds", "instruments", "by-hand"]],
  [/^Reconciliation/, ["reconciliation", "jobs", "tasks"]],
  [/^(Channel|Delivery)/, ["channels", "deliveries"]],
];

/** The list of the latest events follows everything, and so does why something does not move. */
const ALWAYS = ["lately", "why", "standstills"];

export function renewedBy(kind: string): string[] {
  const found = RENEWS.filter(([pattern]) => pattern.test(kind)).flatMap(([, names]) => names);
  return [...new Set([...found, ...ALWAYS])];
}

/** Reads everything on the page again but what never changes (finished plates, the session, names of rounds). */
export function renewAll(client: QueryClient) {
  void client.invalidateQueries({
    predicate: (query) =>
      !query.observers.some(({ options }) => options.staleTime === Number.POSITIVE_INFINITY),
  });
}

/** A demo makes hundreds of events a second: pages are renewed at most this often. */
const QUIET_MS = 700;

/** Gathers what events make old and renews it in one go. */
export function makeRenewer(client: QueryClient) {
  const old = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const renew = () => {
    timer = undefined;
    const names = [...old];
    old.clear();
    for (const name of names) void client.invalidateQueries({ queryKey: [name] });
  };
  return {
    take(event: SealedEvent) {
      for (const name of renewedBy(event.kind)) old.add(name);
      if (old.size > 0) timer ??= setTimeout(renew, QUIET_MS);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
      old.clear();
    },
  };
}
