import type { Notification, Severity } from "../api/types.ts";

type Urgent = Pick<Notification, "state" | "severity" | "opened_at">;

const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** What nobody has taken on before what somebody looks after; in each, the gravest first, then the newest. */
export function byUrgency<T extends Urgent>(list: readonly T[]): T[] {
  const taken = (it: T) => (it.state === "open" ? 0 : 1);
  return [...list].sort(
    (a, b) =>
      taken(a) - taken(b) ||
      RANK[a.severity] - RANK[b.severity] ||
      Date.parse(b.opened_at) - Date.parse(a.opened_at),
  );
}

/** How many nobody has taken on. */
export const unseen = (list: readonly Urgent[]) => list.filter((it) => it.state === "open").length;
