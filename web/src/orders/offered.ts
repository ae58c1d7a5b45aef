// Which orders make sense for what stands so. The server decides; this only keeps the menu short. Pure.

import type { Hold, Order, SubjectKind } from "./types.ts";

const OVER: Record<SubjectKind, ReadonlySet<string>> = {
  campaign: new Set(["finished", "cancelled"]),
  round: new Set(["closed", "cancelled", "failed"]),
  job: new Set(["stopping", "in_doubt", "succeeded", "failed", "cancelled", "plate_lost"]),
  instrument: new Set(["retired"]),
};

export function ordersFor(kind: SubjectKind, state: string, hold: Hold["manner"] | null = null): Order[] {
  if (kind === "job" && hold === "drain") return ["resume"];
  if (OVER[kind].has(state)) return [];
  switch (kind) {
    case "campaign":
      if (state === "paused") return ["resume", "drain", "cancel"];
      return state === "draining" ? ["pause", "resume", "cancel"] : ["pause", "drain", "cancel"];
    case "round":
      if (hold === "drain") return ["pause", "resume", "cancel"];
      if (hold === "pause" || state === "held") return ["resume", "drain", "cancel"];
      return ["pause", "drain", "cancel"];
    case "job":
      if (hold === "pause") return ["resume", "cancel"];
      return state === "running" ? ["drain", "cancel"] : ["pause", "cancel"];
    case "instrument":
      if (state === "maintenance") return ["resume", "cancel"];
      return state === "draining" ? ["pause", "resume", "cancel"] : ["pause", "drain", "cancel"];
  }
}
