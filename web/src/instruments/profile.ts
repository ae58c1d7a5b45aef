import type { Instrument } from "../api/types.ts";

/** Agents ask for work at least every half minute; ten missed times are no network hiccup. */
const SILENT_AFTER_MS = 5 * 60_000;

/** Whether an instrument in service has an agent that no longer asks for work. */
export function isSilent(instrument: Pick<Instrument, "state" | "last_seen_at">, now: Date): boolean {
  if (instrument.state !== "in_service" || !instrument.last_seen_at) return false;
  return now.getTime() - Date.parse(instrument.last_seen_at) > SILENT_AFTER_MS;
}

/** A profile in words: `8 source slots, 96 tips per rack`. */
export function profileWords(profile: unknown): string {
  if (typeof profile !== "object" || profile === null) return "–";
  const parts = Object.entries(profile).map(([key, value]) => {
    const name = key.replaceAll("_", " ");
    const amount = Array.isArray(value) ? value.length : value;
    if (typeof amount !== "number") return `${name} ${String(value)}`;
    return `${amount} ${amount === 1 ? name.replace(/s$/, "") : name}`;
  });
  return parts.join(", ") || "–";
}
