// How the agents stand towards a stop of the laboratory, in words. Pure.

import { duration, plural } from "../display/format.ts";
import type { Laboratory, Place } from "./types.ts";

/** What one place says; the colour says the same. */
export type Said = { tone: "bad" | "busy" | "good"; words: string };

export function saidOf(place: Place): Said {
  switch (place.standing) {
    case "idle":
      return { tone: "good", words: "holds nothing, begins nothing" };
    case "stopped":
      return { tone: "good", words: "stopped" };
    case "stopping":
      return { tone: "busy", words: place.says?.trim() || "goes to its next safe point" };
    default:
      return { tone: "bad", words: "has not confirmed" };
  }
}

/** When it confirmed, counted from the order. */
export const afterWords = (place: Place): string | null =>
  place.after_ms == null ? null : `after ${duration(place.after_ms / 1000)}`;

/** Where all stand, in one sentence: what a person still has to look at comes first. */
export function summaryOf({ places, not_confirmed: silent }: Laboratory): string {
  if (places.length === 0) return "No instrument is registered: there is nobody to confirm.";
  const running = places.filter((it) => it.standing === "stopping").length;
  if (silent.length > 0) {
    return `${silent.join(", ")} ${silent.length === 1 ? "has" : "have"} not confirmed: look at ${silent.length === 1 ? "it" : "them"} yourself.`;
  }
  if (running > 0) return `All have confirmed; ${plural(running, "agent")} still on the way to a safe point.`;
  return "All have confirmed: nothing moves on our orders.";
}

/** Confirmations come in within seconds: they are asked for as fast; what stands is not asked for again and again. */
export function patienceMs(laboratory: Laboratory | null | undefined): number | false {
  // An older server has no such door.
  if (laboratory === null) return false;
  if (!laboratory?.stop) return 15_000;
  const settled = laboratory.places.every((it) => it.standing === "idle" || it.standing === "stopped");
  return settled ? 5_000 : 1_000;
}
