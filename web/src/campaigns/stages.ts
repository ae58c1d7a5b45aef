import type { RoundProgress } from "../api/types.ts";

/** The stages of a round, in order. */
export const STAGES = ["proposing", "awaiting_approval", "planning", "executing", "assessing"] as const;
export type Stage = (typeof STAGES)[number];

export type Mark = "done" | "now" | "held" | "stopped" | "ahead";

const OVER = new Set(["closed", "cancelled", "failed"]);
export const isLive = (round: Pick<RoundProgress, "state">) => !OVER.has(round.state);

/** The rounds to be shown, the newest first: all that live, for they may overlap; the last where none does. */
export function roundsNow<R extends Pick<RoundProgress, "state">>(rounds: readonly R[]): R[] {
  const live = rounds.filter(isLive).reverse();
  return live.length > 0 ? live : rounds.slice(-1);
}

/** How each stage stands. */
export function marks(round: Pick<RoundProgress, "state" | "held_from">): Record<Stage, Mark> {
  const { state } = round;
  const at = STAGES.indexOf((state === "held" ? round.held_from : state) as Stage);
  const mark = (index: number): Mark => {
    if (state === "closed") return "done";
    if (at < 0) return "stopped";
    if (index < at) return "done";
    if (index > at) return "ahead";
    return state === "held" ? "held" : "now";
  };
  return Object.fromEntries(STAGES.map((stage, index) => [stage, mark(index)])) as Record<Stage, Mark>;
}

/** What the stage that a round is in is about, for people. */
export function stageWords(round: RoundProgress): string {
  const plates = Object.values(round.plates).reduce((sum, n) => sum + n, 0);
  switch (round.state) {
    case "proposing":
      return "The model chooses the batch.";
    case "awaiting_approval":
      return `${round.proposed} experiments wait for approval.`;
    case "planning":
      return "The approved batch becomes plates and jobs.";
    case "executing":
      return `${plates === 1 ? "One plate is" : `${plates} plates are`} in the laboratory.`;
    case "assessing":
      return "Readings are judged; quarantined plates wait for a decision.";
    case "held":
      return round.reason ?? "It stands still until somebody resumes it.";
    case "closed":
      return `${round.passed_qc} experiments passed QC, ${round.hits} ${round.hits === 1 ? "is a hit" : "are hits"}.`;
    default:
      return round.reason ?? `The round is ${round.state}.`;
  }
}
