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

/**
 * Reads everything on the page again but what never changes: the session and names of rounds, and what is `static`
 * (finished plates), which is never read again by itself.
 */
export function renewAll(client: QueryClient) {
  void client.invalidateQueries({
    predicate: (query) =>
      !query.observers.some(({ options }) => options.staleTime === Number.POSITIVE_INFINITY),
  });
}

/** Reads everything again, also what never changes: after a restore it is another record. */
export function beginAnew(client: QueryClient) {
  client.removeQueries({ type: "inactive" });
  void client.resetQueries({ predicate: (query) => query.isStatic() });
  void client.invalidateQueries();
}

/** A demo makes hundreds of events a second: pages are renewed at most this often. */
const QUIET_MS = 700;

/**
 * Gathers what events make old and renews it in one go. What is being read just then comes to its end first, and is
 * read once more: a read that takes longer than events keep quiet would never arrive.
 */
export function makeRenewer(client: QueryClient) {
  const old = new Set<string>();
  /** Those that were being read, by hash. */
  let late = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const renew = () => {
    timer = undefined;
    const reads = client.getQueryCache();
    const due = new Set(late);
    for (const name of old) {
      for (const { queryHash } of reads.findAll({ queryKey: [name] })) due.add(queryHash);
    }
    old.clear();
    late = new Set([...due].filter((hash) => reads.get(hash)?.state.fetchStatus === "fetching"));
    void client.invalidateQueries({
      predicate: ({ queryHash }) => due.has(queryHash) && !late.has(queryHash),
    });
    if (late.size > 0) timer = setTimeout(renew, QUIET_MS);
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
      late.clear();
    },
  };
}
