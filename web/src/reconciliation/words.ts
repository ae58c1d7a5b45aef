// What a reconciliation waits for, in words. Pure.

import { plural } from "../display/format.ts";
import type { Party, Reconciliation } from "./types.ts";

const BECAUSE: Record<string, string> = {
  created: "The database is new",
  failed_over: "The database failed over to a standby",
  restored: "The database was restored from a backup",
};

export const isOpen = (it: Reconciliation | null | undefined): it is Reconciliation =>
  Boolean(it && !it.closed_at);

export const becauseWords = (it: Reconciliation) =>
  BECAUSE[it.opened_because] ?? `Another life of the database answers (${it.opened_because})`;

export const awaited = (it: Reconciliation): Party[] =>
  it.instruments.filter((one) => one.state === "awaited");

export function partyWords({ state, offered, excused_reason: reason, by }: Party): string {
  switch (state) {
    case "awaited":
      return "has not told yet";
    case "reconciled":
      return offered ? `has told, offered ${plural(offered, "result")}` : "has told, nothing to offer";
    case "excused":
      return `excused${by ? ` by ${by}` : ""}${reason ? `: ${reason}` : ""}`;
  }
}

/** What was found missing, and where to look; `null` when nothing was lost. */
export function lossWords(it: Reconciliation): string | null {
  const parts: string[] = [];
  if (it.unknown_reports > 0)
    parts.push(`${plural(it.unknown_reports, "report")} of work this database never gave`);
  if (it.orphan_reports > 0) parts.push(`${plural(it.orphan_reports, "report")} of jobs it does not know`);
  if (it.jobs_in_doubt > 0) parts.push(`${plural(it.jobs_in_doubt, "job")} in doubt for a person`);
  return parts.length > 0 ? `Something was lost: ${parts.join(", ")}.` : null;
}

/** Why it cannot be closed now; `null` when it can. */
export function closeFault(it: Reconciliation): string | null {
  const missing = awaited(it);
  if (missing.length === 0) return null;
  const names = missing.map((one) => one.instrument).join(", ");
  return `${names} ${missing.length === 1 ? "has" : "have"} not told yet: start the agent, or excuse it with a reason.`;
}

/** While it is open, agents come in one by one; else only a failover changes anything. */
export const patienceMs = (it: Reconciliation | null | undefined): number | false =>
  it === null ? false : isOpen(it) ? 2_000 : 30_000;
