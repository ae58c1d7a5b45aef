// Whose hands a step is in, or waits for. Pure.

import type { Job } from "../api/types.ts";
import type { ByHand } from "./types.ts";

export type Whose = "mine" | "nobody" | "other";
export type Section = { whose: Whose; title: string; steps: ByHand[] };

export const isReady = (step: Pick<ByHand, "state">) => step.state === "ready";

export function whoseOf(step: Pick<ByHand, "state" | "taken_by_id">, me: string): Whose {
  if (isReady(step)) return "nobody";
  return step.taken_by_id === me ? "mine" : "other";
}

const TITLES: Record<Whose, string> = {
  mine: "In your hands",
  nobody: "Waits for somebody",
  other: "In the hands of others",
};

/** What one has begun comes first; each section in the server's order, and only where there is something in it. */
export function sectionsOf(steps: readonly ByHand[], me: string): Section[] {
  return (["mine", "nobody", "other"] as const)
    .map((whose) => ({
      whose,
      title: TITLES[whose],
      steps: steps.filter((step) => whoseOf(step, me) === whose),
    }))
    .filter((section) => section.steps.length > 0);
}

/** Those that nobody has taken; none from a server without such steps. */
export const readyOf = (steps: readonly ByHand[] | null | undefined) => (steps ?? []).filter(isReady);

/** Whether a job is one that the page `By hand` shows. */
export const isForHands = (job: Pick<Job, "queue" | "state">) =>
  job.queue === "people" && ["ready", "leased", "running", "stopping"].includes(job.state);
