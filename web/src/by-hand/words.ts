// What is said of a step for hands. Pure.

import type { Act, Answer, ByHand, PlateByHand } from "./types.ts";

/** `handler-1, slot 4` */
export const placeWords = ({ at }: Pick<PlateByHand, "at">) =>
  at ? `${at.device}, slot ${at.slot}` : "nobody knows where it stands";

/** `screen 4, round 2`; empty for a step of no campaign. */
export function roundWords({ campaign, round }: Pick<ByHand, "campaign" | "round">): string {
  const parts = [...(campaign ? [campaign] : []), ...(round === null ? [] : [`round ${round}`])];
  return parts.join(", ");
}

/** Empty the first time. */
export const attemptWords = (attempt: number) =>
  attempt <= 0 ? "" : `taken before, ${attempt === 1 ? "once" : `${attempt} times`}`;

const LONG = 180;

/** Set smaller, so that the card still fits on a screen. */
export const isLong = (instruction: string) => instruction.length > LONG;

const SHORT = 60;

/** An instruction as the beginning of a sentence: its first words, without a stop. */
export function briefly(instruction: string): string {
  const text = instruction.trim().replace(/\s+/g, " ");
  if (text.length <= SHORT) return text.replace(/[.!]$/, "");
  const cut = text.slice(0, SHORT);
  const space = cut.lastIndexOf(" ");
  // A word that is longer than all that is shown is cut itself.
  const whole = space > SHORT / 2 ? cut.slice(0, space) : cut;
  return `${whole.replace(/[\s.,;:]+$/, "")}…`;
}

/** What was done, for the corner of the page. */
export function doneWords({ kind }: Act, answer: Answer | undefined): string {
  switch (kind) {
    case "take":
      return answer?.already
        ? "It was in your hands before: somebody who is signed in as you may have begun."
        : "It is in your hands.";
    case "give-back":
      return answer?.state === "cancelled"
        ? "Recorded: nothing was done. It is cancelled."
        : "Recorded: nothing was done. It waits for somebody again.";
    case "done":
      return "Recorded as done.";
    case "went-wrong":
      return "It is in doubt: what became of it is said on the job's page.";
  }
}

/** What did not happen when the server refused. */
export const FAILED: Record<Act["kind"], string> = {
  take: "You do not have it in hand",
  "give-back": "It was not given back",
  done: "It was not recorded as done",
  "went-wrong": "Nothing was recorded",
};
