import type { InstrumentDay, InstrumentKind } from "../api/types.ts";

/** Steps that an instrument can have beside each other: an incubator's slots; of everything else one. */
export function atOnce(capabilities: readonly string[], profile: unknown): number {
  if (!capabilities.includes("incubate.plate")) return 1;
  const slots = typeof profile === "object" && profile !== null && "slots" in profile ? profile.slots : null;
  return Array.isArray(slots) && slots.length > 0 ? slots.length : 1;
}

/** The share of a day that it was busy, of all that it could have been; of today, of what has passed. */
export function share(day: InstrumentDay, places: number, passedSeconds: number): number {
  if (passedSeconds <= 0) return 0;
  return Math.min(1, day.busy_seconds / (places * passedSeconds));
}

/** Seconds of a local day that have passed at `now`. */
export function passed(day: string, now: Date): number {
  const [year, month, date] = day.split("-").map(Number);
  if (year === undefined || month === undefined || date === undefined) return 0;
  const from = new Date(year, month - 1, date).getTime();
  const to = new Date(year, month - 1, date + 1).getTime();
  return Math.max(0, Math.min(now.getTime(), to) - from) / 1000;
}

/** Steps that ended on all these days, and the share of them that did not succeed. */
export function inAll(kinds: readonly InstrumentKind[]): { ended: number; badly: number } {
  const badly = kinds.reduce((sum, kind) => sum + kind.not_succeeded, 0);
  return { ended: kinds.reduce((sum, kind) => sum + kind.succeeded, badly), badly };
}
